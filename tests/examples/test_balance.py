"""The comparisons of `examples/balance`, with generated data."""

import gzip
import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Dict, Iterator, List

import pytest
from _jsonnet import evaluate_snippet  # type: ignore[import-untyped]

from tests.examples.test_ewt import conllu
from tests.helpers.commands import ROOT, training_here
from tests.helpers.tiny_bert import HIDDEN_SIZE, make_tiny_bert

FOLDER = ROOT / "examples" / "balance"
HEADS = ["upos", "xpos", "parser", "genre"]
QUERIES = [
    {"text": ["play", "jazz"], "intent": "play", "slots": ["O", "B-genre"]},
    {"text": ["rate", "it"], "intent": "rate", "slots": ["O", "O"]},
]


@pytest.fixture(name="script", scope="module")
def _script() -> Iterator[ModuleType]:
    """`run.py`, which imports the modules beside it."""
    before = set(sys.modules)
    spec = importlib.util.spec_from_file_location("balance_run", FOLDER / "run.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    sys.modules["balance_run"] = script
    spec.loader.exec_module(script)
    yield script
    sys.path.remove(str(FOLDER))
    for name in {"balance_run", "comparisons", "tables"} - before:
        del sys.modules[name]


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with gzip.open(tmp_path / "en_ewt-ud-train.conllu.gz", "wt", encoding="utf-8") as file:
        file.write(conllu(6))
    (tmp_path / "en_ewt-ud-dev.conllu").write_text(conllu(1), encoding="utf-8")
    for name, count in (("train", 600), ("validation", 1)):
        lines = "".join(json.dumps(query) + "\n" for query in QUERIES * count)
        (tmp_path / f"{name}.jsonl").write_text(lines)
    monkeypatch.setenv("EWT_DIR", str(tmp_path))
    monkeypatch.setenv("SNIPS_DIR", str(tmp_path))
    monkeypatch.setenv("PARTS_DIR", str(tmp_path / "parts"))
    monkeypatch.setenv("MINILM_DIR", str(tmp_path / "bert"))


def make_config(script: ModuleType, comparison: str, method: Dict[str, Any]) -> Dict[str, Any]:
    path = script.COMPARISONS[comparison].config
    config: Dict[str, Any] = script.make_config(str(path), method, epochs=1, cuda_device=-1, seed=3)
    return config


def results(**scores: List[Dict[str, float]]) -> Dict[str, Any]:
    return {
        method: [{"scores": run, "epoch": 10.0} for run in runs] for method, runs in scores.items()
    }


def single(value: float) -> Dict[str, List[Dict[str, float]]]:
    return {f"single_{name}": [{name: value}] for name in HEADS}


def test_the_change_is_relative_to_the_models_with_one_head(script: ModuleType) -> None:
    joint = [dict(zip(HEADS, [0.6, 0.5, 0.4, 0.5])), dict(zip(HEADS, [0.6, 0.5, 0.5, 0.7]))]
    table = script.make_table(
        results(joint=joint, **single(0.5)), script.COMPARISONS["annotations"]
    )
    # (0.2 + 0 - 0.2 + 0) / 4 = 0 and (0.2 + 0 + 0 + 0.4) / 4 = 0.15
    assert table.splitlines()[2] == (
        "| joint | 2 | 60.0 ± 0.0 | 50.0 ± 0.0 | 45.0 ± 7.1 | 60.0 ± 14.1 | +7.5 ± 10.6 | 10.0 |"
    )
    assert table.splitlines()[3] == "| single_upos | 1 | 50.0 |  |  |  |  | 10.0 |"


def test_no_change_without_all_single_heads(script: ModuleType) -> None:
    some = results(joint=[dict.fromkeys(HEADS, 0.5)], **single(0.5))
    assert (
        script.make_table(some, script.COMPARISONS["annotations"]).splitlines()[2].count("+") == 1
    )
    del some["single_genre"]
    assert "+" not in script.make_table(some, script.COMPARISONS["annotations"])


def test_a_table_is_written_between_its_comments(script: ModuleType) -> None:
    text = "a\n<!-- minilm -->\nold\n<!-- end of minilm -->\nb\n"
    assert script.replace_table(text, "minilm", "| new |") == (
        "a\n<!-- minilm -->\n\n| new |\n\n<!-- end of minilm -->\nb\n"
    )


def test_the_readme_has_a_place_for_every_table(script: ModuleType) -> None:
    readme = (FOLDER / "README.md").read_text()
    for name in script.COMPARISONS:
        assert "| x |" in script.replace_table(readme, name, "| x |")


def test_the_line_that_the_readme_suggests_adds_a_method(script: ModuleType) -> None:
    line = re.compile(r"^ *annotations: .*,$", re.M)
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    suggested = line.search(readme.partition("## Try next")[2])
    assert suggested is not None
    methods = (FOLDER / "methods.jsonnet").read_text(encoding="utf-8")
    changed, count = line.subn(suggested.group(), methods)
    found = json.loads(evaluate_snippet("methods.jsonnet", changed))["annotations"]
    assert count == 1
    assert found.pop("xpos_weight") == {"model": {"loss_weights": {"xpos": 3.0}}}
    single = [f"single_{head}" for head in HEADS]
    assert sorted([*found, *single]) == sorted(script.read_methods("annotations", []))


def test_a_name_can_join_methods(script: ModuleType) -> None:
    methods = script.read_methods("minilm", ["genre_weight+tags_weight", "single_parser+clip_5"])
    assert methods == {
        "genre_weight+tags_weight": {
            "model": {"loss_weights": {"genre": 0.1, "upos": 3.0, "xpos": 3.0}}
        },
        "single_parser+clip_5": {"heads": ["parser"], "trainer": {"grad_norm": 5.0}},
    }


def test_joined_methods_do_not_change_each_other(script: ModuleType) -> None:
    names = [
        "genre_weight+tags_weight",
        "genre_weight",
        "layer_mix+genre_weight",
        "genre_weight_0_3",
    ]
    methods = script.read_methods("minilm", names)
    weights = [methods[name]["model"]["loss_weights"] for name in names]
    both = {"genre": 0.1, "upos": 3.0, "xpos": 3.0}
    assert weights == [both, {"genre": 0.1}, {"genre": 0.1}, {"genre": 0.3}]


def test_all_methods_begin_with_the_baselines(script: ModuleType) -> None:
    methods = list(script.read_methods("three_tasks", []))
    assert methods[:4] == ["joint", "single_parser", "single_slots", "single_intent"]
    assert "upgrad" in methods
    assert "uncertainty" in methods


def test_an_unknown_method_is_named(script: ModuleType) -> None:
    with pytest.raises(SystemExit, match=r"joined by '\+', but got 'joint\+clip_6'\.$"):
        script.read_methods("minilm", ["joint+clip_6"])


def test_every_head_gets_a_mix_of_its_own(script: ModuleType) -> None:
    model = make_config(script, "minilm", {"mix": True, "heads": ["upos", "parser"]})["model"]
    assert list(model["heads"]) == model["task_heads"]["ewt"] == ["upos", "parser"]
    assert model["backbone"]["layer_mixes"] == ["upos_text", "parser_text"]
    assert model["arg_name_mapping"] == {
        "upos": {"upos_tags": "tags", "upos_text": "encoded_text"},
        "parser": {"parser_text": "encoded_text"},
    }


def test_heads_without_a_mix_get_the_last_layer(script: ModuleType) -> None:
    changes = script.read_methods("minilm", ["mix_but_genre"])["mix_but_genre"]
    model = make_config(script, "minilm", changes)["model"]
    assert model["backbone"]["layer_mixes"] == ["upos_text", "xpos_text", "parser_text"]
    assert model["backbone"]["output_layers"] == {"genre_text": -1}
    assert model["arg_name_mapping"]["genre"] == {"genre": "label", "genre_text": "encoded_text"}


def test_another_encoder_replaces_the_options_of_the_old_one(script: ModuleType) -> None:
    method = script.read_methods("minilm", ["genre_gru"])["genre_gru"]
    genre = make_config(script, "minilm", method)["model"]["heads"]["genre"]
    assert genre["seq2vec_encoder"] == {
        "type": "gru",
        "input_size": 384,
        "hidden_size": 128,
        "bidirectional": True,
    }


def test_tasks_without_heads_are_removed(script: ModuleType) -> None:
    config = make_config(script, "three_tasks", {"heads": ["slots"]})
    assert config["model"]["task_heads"] == {"slots": ["slots"]}
    assert list(config["dataset_reader"]["readers"]) == ["slots"]
    assert list(config["train_data_path"]) == list(config["validation_data_path"]) == ["slots"]


def test_a_task_alone_keeps_its_instances_and_steps(script: ModuleType) -> None:
    joint = make_config(script, "three_tasks", {})["data_loader"]
    alone = make_config(script, "three_tasks", {"heads": ["slots"]})["data_loader"]
    assert (joint["instances_per_epoch"], joint["scheduler"]["batch_size"]) == (900, 30)
    assert (alone["instances_per_epoch"], alone["scheduler"]["batch_size"]) == (300, 10)


def test_a_part_of_a_treebank_is_spread_over_its_documents(
    script: ModuleType, tmp_path: Path
) -> None:
    script.write_parts(tmp_path / "parts", "annotations")
    sys.modules["comparisons"].take_sentences(
        tmp_path / "en_ewt-ud-train.conllu.gz", 12, tmp_path / "part.conllu"
    )
    text = (tmp_path / "part.conllu").read_text(encoding="utf-8")
    assert text.count("# text") == 12
    assert text.count("# newdoc id = weblog") == text.count("# newdoc id = email") == 1


def test_three_tasks_have_different_sizes(script: ModuleType, tmp_path: Path) -> None:
    script.write_parts(tmp_path / "parts", "three_tasks")
    for name, count in (("slots", 400), ("intent", 100)):
        lines = (tmp_path / "parts" / f"{name}.jsonl").read_text().splitlines()
        assert len(lines) == count


@pytest.mark.slow
@pytest.mark.parametrize("mix", [True, False])
def test_a_run_writes_the_scores_of_all_heads(
    script: ModuleType, tmp_path: Path, mix: bool
) -> None:
    make_tiny_bert(tmp_path / "bert")
    heads: Dict[str, Any] = {name: {"input_dim": HIDDEN_SIZE} for name in HEADS[:3]}
    heads["genre"] = {"seq2vec_encoder": {"embedding_dim": HIDDEN_SIZE}}
    method = {"mix": mix, "model": {"heads": heads, "loss_weighting": "uncertainty"}}
    folder = tmp_path / "out"
    folder.mkdir()
    options = {"epochs": 1, "cuda_device": -1, "seed": 3}
    with training_here():
        script.train(script.Job("minilm", method, folder, options))
    result = json.loads((folder / "result.json").read_text())
    assert list(result["scores"]) == HEADS
    assert all(0.0 <= score <= 1.0 for score in result["scores"].values())
    assert not list((folder / "run").glob("*.th"))


@pytest.mark.slow
def test_three_tasks_train_in_mixed_batches(script: ModuleType, tmp_path: Path) -> None:
    script.write_parts(tmp_path / "parts", "three_tasks")
    folder = tmp_path / "out"
    folder.mkdir()
    smaller = {"data_loader": {"instances_per_epoch": 60}}
    job = script.Job("three_tasks", smaller, folder, {"epochs": 1, "cuda_device": -1, "seed": 3})
    with training_here():
        script.train(job)
    result = json.loads((folder / "result.json").read_text())
    assert list(result["scores"]) == ["parser", "slots", "intent"]
