"""The comparison of `examples/balance`, with a generated treebank."""

import gzip
import json
import runpy
from pathlib import Path
from typing import Any, Dict, List

import pytest

from tests.examples.test_ewt import conllu
from tests.helpers.commands import ROOT, training_here
from tests.helpers.tiny_bert import HIDDEN_SIZE, make_tiny_bert

SCRIPT = ROOT / "examples" / "balance" / "run.py"


@pytest.fixture(name="script", scope="module")
def _script() -> Dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with gzip.open(tmp_path / "en_ewt-ud-train.conllu.gz", "wt", encoding="utf-8") as file:
        file.write(conllu(6))
    (tmp_path / "en_ewt-ud-dev.conllu").write_text(conllu(1), encoding="utf-8")
    monkeypatch.setenv("EWT_DIR", str(tmp_path))
    monkeypatch.setenv("MINILM_DIR", make_tiny_bert(tmp_path / "bert"))


def options(tmp_path: Path, method: Dict[str, Any], config: str) -> Dict[str, Any]:
    return {
        "path": str(ROOT / "examples" / "ewt" / config),
        "method": method,
        "train_path": str(tmp_path / "en_ewt-ud-train.conllu.gz"),
        "epochs": 1,
        "cuda_device": -1,
        "seed": 3,
    }


def results(**scores: List[Dict[str, float]]) -> Dict[str, Any]:
    return {
        method: [{"scores": run, "epoch": 10.0} for run in runs] for method, runs in scores.items()
    }


def test_the_change_is_relative_to_the_models_with_one_head(script: Dict[str, Any]) -> None:
    names = ["upos", "xpos", "parser", "genre"]
    table = script["table"](
        results(
            **{f"single_{name}": [{name: 0.5}] for name in names},
            joint=[dict(zip(names, [0.6, 0.5, 0.4, 0.5])), dict(zip(names, [0.6, 0.5, 0.5, 0.7]))],
        )
    )
    # (0.6 / 0.5 - 1 + 0 + 0.45 / 0.5 - 1 + 0.6 / 0.5 - 1) / 4 = 0.075
    assert table.splitlines()[-1] == (
        "| joint | 2 | 60.0 ± 0.0 | 50.0 ± 0.0 | 45.0 ± 7.1 | 60.0 ± 14.1 | +7.5 | 10 |"
    )
    assert table.splitlines()[2] == "| single_upos | 1 | 50.0 |  |  |  |  | 10 |"


def test_every_head_gets_a_mix_of_its_own(script: Dict[str, Any], tmp_path: Path) -> None:
    method = {"mix": True, "heads": ["upos", "parser"]}
    config = script["make_config"](**options(tmp_path, method, "minilm.jsonnet"))
    model = config["model"]
    assert list(model["heads"]) == model["task_heads"]["ewt"] == ["upos", "parser"]
    assert model["backbone"]["layer_mixes"] == ["upos_text", "parser_text"]
    assert model["arg_name_mapping"] == {
        "upos": {"upos_tags": "tags", "upos_text": "encoded_text"},
        "parser": {"parser_text": "encoded_text"},
    }


def test_a_part_of_a_treebank_is_spread_over_its_documents(
    script: Dict[str, Any], tmp_path: Path
) -> None:
    part = script["take_sentences"](
        tmp_path / "en_ewt-ud-train.conllu.gz", 12, tmp_path / "part.gz"
    )
    with gzip.open(part, "rt", encoding="utf-8") as file:
        text = file.read()
    assert text.count("# text") == 12
    assert text.count("# newdoc id = weblog") == text.count("# newdoc id = email") == 1


@pytest.mark.slow
@pytest.mark.parametrize("mix", [True, False])
def test_a_run_writes_the_scores_of_all_heads(
    script: Dict[str, Any], tmp_path: Path, mix: bool
) -> None:
    heads: Dict[str, Any] = {
        name: {"input_dim": HIDDEN_SIZE} for name in ("upos", "xpos", "parser")
    }
    heads["genre"] = {"seq2vec_encoder": {"embedding_dim": HIDDEN_SIZE}}
    method = {"mix": mix, "model": {"heads": heads, "loss_weighting": "uncertainty"}}
    with training_here():
        script["train"](options(tmp_path, method, "minilm.jsonnet"), tmp_path / "out")
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert list(result["scores"]) == ["upos", "xpos", "parser", "genre"]
    assert all(0.0 <= score <= 1.0 for score in result["scores"].values())
    assert not list((tmp_path / "out" / "run").glob("*.th"))
