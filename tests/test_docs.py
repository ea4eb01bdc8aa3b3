"""The pages in docs: their blocks run, their excerpts fit the code, and their links resolve."""

import inspect
import json
import re
import xml.etree.ElementTree
from pathlib import Path
from typing import Any, Dict, List

import pytest
import torch
from allennlp.common import Params
from allennlp.data import DatasetReader, Vocabulary
from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler
from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler
from allennlp.models import Model, load_archive
from allennlp.models.heads import Head
from allennlp.training.callbacks import TrainerCallback
from allennlp.training.optimizers import Optimizer

from multitask_model import (
    GradientAggregationCallback,
    LossWeighting,
    MultiTaskDataCallback,
    MultiTaskDataLoader,
    MultiTaskDatasetReader,
    MultiTaskModel,
    TaskReportCallback,
    TextBackbone,
    save_archive,
)
from multitask_model.data.samplers import DynamicSampler
from multitask_model.predictions.options import PredictorOptions
from multitask_model.training.aggregators import AGGREGATORS
from scripts.docs_site.links import outer_pages
from tests.helpers.annotators import make_config, make_model, make_reader
from tests.helpers.commands import ROOT
from tests.helpers.models import FixedBackbone, make_vocab
from tests.helpers.pages import DOCS, README, code_block, code_blocks, config_excerpts, run_in
from tests.helpers.registry import our_types

PAGES = [README, *(ROOT / page for page in outer_pages()), *sorted(DOCS.rglob("*.md"))]
TUTORIAL = DOCS / "tutorial.md"


class RecordingHead(Head):
    def __init__(self) -> None:
        super().__init__(Vocabulary())
        self.calls: List[object] = []

    def forward(self, tags: object = None) -> Dict[str, Any]:
        self.calls.append(tags)
        return {"loss": torch.tensor(1.0)}


def parameters_of(function: Any) -> Any:
    return inspect.signature(function).parameters.keys()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with the two datasets of the tutorial."""
    folder = tmp_path_factory.mktemp("tutorial")
    (folder / "data").mkdir()
    texts = {
        "polarity": {"positive": "what a good film", "negative": "what a bad book"},
        "source": {"reviews": "what a film", "tweets": "so bad"},
    }
    for task, by_label in texts.items():
        lines = [json.dumps({"text": t, "label": label}) for label, t in by_label.items()]
        for part in ("train", "dev"):
            (folder / "data" / f"{task}_{part}.jsonl").write_text("\n".join(lines * 16) + "\n")
    return folder


@pytest.mark.slow
def test_the_config_of_the_tutorial_and_its_commands(folder: Path) -> None:
    (folder / "experiment.jsonnet").write_text(code_block(TUTORIAL, "jsonnet"))
    printed = run_in(folder, ["bash", "-euc", code_block(TUTORIAL, "bash")])
    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    assert metrics["validation_polarity_accuracy"] == 1.0
    assert metrics["validation_source_loss"] < 0.5
    first, second = re.findall(r"^prediction:  (.*)$", printed, re.M)
    assert json.loads(first)["polarity_label"] in ("positive", "negative")
    assert json.loads(second)["source_label"] == "reviews"


@pytest.mark.slow
def test_the_script_of_the_tutorial(folder: Path) -> None:
    printed = run_in(folder, ["python", "-c", code_block(TUTORIAL, "python")])
    assert "'polarity_accuracy': 1.0" in printed
    assert re.search(r"^\{'source_label': 'reviews'\}\n\{'polarity_label': '\w+'\}$", printed, re.M)


def test_the_options_of_the_reader_and_the_data_loader() -> None:
    data, *_ = config_excerpts(DOCS / "data.md")
    loader = data["data_loader"]
    assert loader.keys() - {"type"} <= parameters_of(MultiTaskDataLoader)
    MultiTaskScheduler.from_params(Params(loader["scheduler"]))
    MultiTaskEpochSampler.from_params(Params(loader["sampler"]))
    assert [TrainerCallback.by_name(c["type"]) for c in data["trainer"]["callbacks"]] == [
        MultiTaskDataCallback
    ]
    per_task_label_namespaces = data["dataset_reader"]["per_task_label_namespaces"]
    assert MultiTaskDatasetReader({}, per_task_label_namespaces).readers == {}


def test_the_dynamic_sampler_and_its_callback() -> None:
    _, dynamic, _ = config_excerpts(DOCS / "data.md")
    sampler = MultiTaskEpochSampler.from_params(Params(dynamic["sampler"]))
    assert isinstance(sampler, DynamicSampler)
    sampler.check_tasks(["ewt", "tweets"])
    (callback,) = dynamic["callbacks"]
    assert TrainerCallback.by_name(callback["type"]) is MultiTaskDataCallback


def test_the_callbacks_that_log() -> None:
    *_, logs = config_excerpts(DOCS / "data.md")
    types = [callback["type"] for callback in logs["callbacks"]]
    assert types == ["multitask_data", "tensorboard", "wandb"]
    for callback in logs["callbacks"]:
        callback_class = TrainerCallback.by_name(callback.pop("type"))
        assert callback.keys() <= parameters_of(callback_class)


def test_the_parameters_of_the_heads() -> None:
    heads, _, _ = config_excerpts(DOCS / "heads.md")
    text = (DOCS / "heads.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", text, re.M))
    configs: Dict[str, Dict[str, Any]] = heads["heads"]
    assert {config["type"] for config in configs.values()} == set(rows)
    for config in configs.values():
        parameters = inspect.signature(Head.by_name(config.pop("type"))).parameters.values()
        assert config.keys() <= {parameter.name for parameter in parameters}
        required = {p.name for p in parameters if p.default is p.empty} - {"vocab"}
        assert required <= config.keys()


def test_the_table_of_heads_names_the_required_parameters() -> None:
    text = (DOCS / "heads.md").read_text(encoding="utf-8")
    for head, listed in re.findall(r"^\| `(\w+)` \| ([^|]+) \|", text, re.M):
        parameters = inspect.signature(Head.by_name(head)).parameters.values()
        required = [p.name for p in parameters if p.default is p.empty and p.name != "vocab"]
        assert re.findall(r"`(\w+)`", listed) == required


def test_heads_choose_layers_of_the_backbone() -> None:
    _, layers, _ = config_excerpts(DOCS / "heads.md")
    assert layers["backbone"].keys() - {"type"} <= parameters_of(TextBackbone)
    named = {name for mapping in layers["arg_name_mapping"].values() for name in mapping}
    assert named == {*layers["backbone"]["output_layers"], *layers["backbone"]["layer_mixes"]}


def test_the_readers_with_several_labels_are_built() -> None:
    _, _, readers = config_excerpts(DOCS / "heads.md")
    for config in readers.values():
        reader_class = DatasetReader.by_name(config["type"])
        assert type(DatasetReader.from_params(Params(dict(config)))) is reader_class


def test_heads_without_a_loss_weight_have_the_weight_one() -> None:
    (excerpt,) = config_excerpts(DOCS / "differences.md")
    assert excerpt["model"].keys() - {"type"} <= parameters_of(MultiTaskModel.__init__)
    heads: Dict[str, Head] = {"upos": RecordingHead(), "xpos": RecordingHead()}
    weights = excerpt["model"]["loss_weights"]
    model = MultiTaskModel(Vocabulary(), FixedBackbone(), heads, loss_weights=weights)
    assert model(text=[1, 2], task=["upos", "xpos"], tags=["A", "B"])["loss"] == 0.5 + 1.0


def test_the_config_of_a_loss_weighting() -> None:
    weighting, optimizer, _ = config_excerpts(DOCS / "balancing.md")
    params = {
        **weighting["model"],
        "backbone": {"type": "tests.helpers.models.TinyBackbone"},
        "heads": {"a": {"type": "tests.helpers.models.TinyHead"}},
    }
    model: Any = Model.from_params(Params(params), vocab=make_vocab())
    learned = {id(parameter) for parameter in model.loss_weighting.parameters()}
    built: Any = Optimizer.from_params(
        Params(optimizer["optimizer"]), model_parameters=list(model.named_parameters())
    )
    (group,) = (group for group in built.param_groups if group["lr"] == 0.01)
    assert {id(parameter) for parameter in group["params"]} == learned
    assert group["weight_decay"] == 0.0


def test_the_config_of_the_aggregation() -> None:
    *_, excerpt = config_excerpts(DOCS / "balancing.md")
    (callback,) = excerpt["callbacks"]
    assert TrainerCallback.by_name(callback.pop("type")) is GradientAggregationCallback
    assert callback.keys() <= parameters_of(GradientAggregationCallback)


def test_the_config_of_the_report_and_the_method_of_a_head() -> None:
    (config,) = config_excerpts(DOCS / "report.md")
    (params,) = config["trainer"]["callbacks"]
    callback = TrainerCallback.from_params(Params(params), serialization_dir="run")
    assert isinstance(callback, TaskReportCallback)
    names: Dict[str, Any] = {}
    exec(code_block(DOCS / "report.md", "python"), names)
    assert names["predicted_labels"](None).names == ["negative", "positive"]


def test_the_tables_name_every_weighting_and_every_aggregator() -> None:
    text = (DOCS / "balancing.md").read_text(encoding="utf-8")
    first_cells = re.findall(r"^\| (`[^|]+) \|", text, re.M)
    names = [name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)]
    headings = ["loss_reduction", "loss_weighting", "aggregator"]
    assert sorted(names) == sorted([*our_types(LossWeighting), *AGGREGATORS, *headings])


def test_the_cost_of_the_aggregation_is_that_of_the_benchmark() -> None:
    results = (ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
    (costs,) = re.findall(r"^\| 4 \| \d+ \| ([\d.]+) \| ([\d.]+) \|$", results, re.M)
    text = (DOCS / "balancing.md").read_text(encoding="utf-8")
    assert f"a step takes {costs[0]} and {costs[1]} times as long as a plain one" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_to_files(page: Path) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    relative = [target.split("#")[0] for target in targets if "://" not in target]
    assert [target for target in relative if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("index", ["index.md", "howto/index.md"])
def test_an_index_links_every_page_of_its_folder(index: str) -> None:
    page = DOCS / index
    linked = set(re.findall(r"\]\((\w+\.md)\)", page.read_text(encoding="utf-8")))
    assert {other.name for other in page.parent.glob("*.md")} - {page.name} <= linked


def test_the_index_links_the_reference() -> None:
    linked = re.findall(
        r"\]\((reference/\w+\.md)\)", (DOCS / "index.md").read_text(encoding="utf-8")
    )
    assert sorted(linked) == sorted(f"reference/{p.name}" for p in DOCS.glob("reference/*.md"))


def test_the_navigation_has_every_page() -> None:
    # `make docs` fails for a page that is missing. The tests run without its environment.
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    pages = [page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")]
    named = re.findall(r"^ *- .*: ([\w/]+\.md)$", navigation, re.M)
    assert sorted(named) == sorted([*pages, *outer_pages()])


@pytest.mark.slow
def test_the_scripts_of_the_page_of_predictions(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    reader = make_reader(config)
    model = make_model(config, reader)
    save_archive(model, reader, tmp_path / "model.tar.gz")
    page = DOCS / "predictions.md"
    options, script, excerpt = (b.code for b in code_blocks(page) if b.language == "python")
    printed = run_in(tmp_path, ["python", "-c", options + script])
    assert "'topic_accuracy': " in printed
    copied = load_archive(tmp_path / "copy" / "model.tar.gz").model
    assert set(copied.state_dict()) == set(model.state_dict())
    given: Dict[str, Any] = {}
    exec(excerpt, given)
    parts = given["config"]["model"]["heads"]
    head = Head.from_params(Params(dict(parts["xpos2"])), vocab=model.vocab)
    model.add_head("xpos2", head, tasks=["news"])
    save_archive(model, reader, tmp_path / "added.tar.gz", config=given["config"])


def test_the_options_of_the_predictor_are_in_their_table() -> None:
    text = (DOCS / "predictions.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+): ", text, re.M)
    assert sorted(listed) == sorted(PredictorOptions._fields)


def test_the_picture_is_plain_svg() -> None:
    root = xml.etree.ElementTree.parse(DOCS / "data_flow.svg").getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    tags = {str(element.tag).split("}")[1] for element in root.iter()}
    # A code host shows the picture without scripts, styles and external files.
    assert tags <= {"svg", "title", "desc", "defs", "marker", "path", "rect", "g", "text"}
    ids = {element.get("id") for element in root.iter()}
    text = (DOCS / "data_flow.svg").read_text(encoding="utf-8")
    assert "href" not in text
    assert set(re.findall(r"url\(#(\w+)\)", text)) <= ids


@pytest.mark.slow
def test_the_page_of_the_command(tmp_path: Path) -> None:
    page = DOCS / "command.md"
    start = code_block(page, "bash")
    described = start[: start.index("multitask-model train")]
    without = "'{\"model.arg_name_mapping\": {}}'"
    command = f"multitask-model describe experiment.jsonnet -o {without} || true"
    printed = run_in(tmp_path, ["bash", "-euc", f"{described}\n{command}"])
    printed = "\n".join(line.rstrip() for line in printed.splitlines()) + "\n"
    table, errors = (block.code for block in code_blocks(page) if block.language == "text")
    assert table in printed
    assert printed.endswith(errors)
    assert "label              optional  absent: no label\n" in printed
