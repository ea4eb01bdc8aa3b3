"""What the README shows, runs."""

import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest
from _jsonnet import evaluate_snippet  # type: ignore[import-untyped]
from allennlp.common import Params
from allennlp.data import Vocabulary
from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler
from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler
from allennlp.models.heads import Head
from allennlp.training.callbacks import TrainerCallback

from multitask_model import (
    MultiTaskDataCallback,
    MultiTaskDataLoader,
    MultiTaskDatasetReader,
    MultiTaskModel,
    TextBackbone,
)
from tests.helpers.models import FixedBackbone

README = Path(__file__).parent.parent / "README.md"


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(), re.M | re.S)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with the two datasets that the README speaks of."""
    folder = tmp_path_factory.mktemp("readme")
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


def test_the_excerpts_of_configs() -> None:
    excerpts = re.findall(r"^```jsonc\n(.*?)^```$", README.read_text(), re.M | re.S)
    parsed = (json.loads(evaluate_snippet("", f"{{{text}}}")) for text in excerpts)
    shared, extended, data, layers = parsed
    heads: Dict[str, Any] = {name: TaggingHead() for name in ["upos", "xpos", "genre", "polarity"]}
    model = MultiTaskModel(Vocabulary(), FixedBackbone(), heads, **shared)
    model(text=[1, 2], task=["ewt", "reviews"], upos_tags=["A", "B"], xpos_tags=["C", "D"])
    calls = [call for head in ("upos", "xpos") for call in heads[head].calls]
    assert calls == [["A"], ["C"]]
    loader = data["data_loader"]
    assert loader.keys() - {"type"} <= inspect.signature(MultiTaskDataLoader).parameters.keys()
    MultiTaskScheduler.from_params(Params(loader["scheduler"]))
    MultiTaskEpochSampler.from_params(Params(loader["sampler"]))
    assert [TrainerCallback.by_name(c["type"]) for c in data["trainer"]["callbacks"]] == [
        MultiTaskDataCallback
    ]
    assert (
        MultiTaskDatasetReader({}, data["dataset_reader"]["per_task_label_namespaces"]).readers
        == {}
    )
    assert layers["backbone"].keys() - {"type"} <= inspect.signature(TextBackbone).parameters.keys()
    named = {name for mapping in layers["arg_name_mapping"].values() for name in mapping}
    assert named == layers["backbone"]["output_layers"].keys()
    parameters = inspect.signature(MultiTaskModel.__init__).parameters
    assert extended["model"].keys() - {"type"} <= parameters.keys()
    assert extended["vocabulary"]["directory"] == extended["model"]["pretrained_file"]


class TaggingHead(Head):
    def __init__(self) -> None:
        super().__init__(Vocabulary())
        self.calls: List[Any] = []

    def forward(self, tags: Any = None) -> Dict[str, Any]:
        self.calls.append(tags)
        return {}


def run(command: List[str], folder: Path) -> str:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    root = str(README.parent)
    result = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": root},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stdout


def test_the_config_and_its_commands(folder: Path) -> None:
    (folder / "experiment.jsonnet").write_text(block("jsonnet"))
    printed = run(["bash", "-euc", block("bash")], folder)
    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    assert metrics["validation_polarity_accuracy"] == 1.0
    assert metrics["validation_source_loss"] < 0.5
    first, second = re.findall(r"^prediction:  (.*)$", printed, re.M)
    assert json.loads(first)["polarity_label"] in ("positive", "negative")
    assert json.loads(second)["source_label"] == "reviews"


def test_the_script(folder: Path) -> None:
    printed = run([sys.executable, "-c", block("python")], folder)
    assert "'polarity_accuracy': 1.0" in printed
    assert re.search(r"^\{'source_label': 'reviews'\}\n\{'polarity_label': '\w+'\}$", printed, re.M)
