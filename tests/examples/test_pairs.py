"""The example `pairs`, with generated sentence pairs."""

import itertools
import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
from allennlp.common import Params
from allennlp.data import DatasetReader, Vocabulary

import multitask_model  # noqa: F401  (registers the types of the config)
from tests.helpers.commands import ROOT, run_allennlp_here
from tests.helpers.tiny_bert import HIDDEN_SIZE, make_tiny_bert

HEADS = ["entailment", "similarity"]
ANIMALS = ["cat", "dog"]


def pairs() -> List[Dict[str, Any]]:
    """Entailment depends on the second sentence of a pair, similarity on the first."""
    rows = []
    for first, second, word in itertools.product(ANIMALS, ANIMALS, ["not", "a"]):
        label = "contradicted" if word == "not" else "entailed"
        text = f"the {first} sat [SEP] {word} {second} sat"
        rows.append({"text": text, "entailment": label, "similarity": 3 * (first == "cat")})
    return rows


@pytest.fixture(name="directory")
def _directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for split in ("train", "dev"):
        lines = "".join(json.dumps(pair) + "\n" for pair in pairs() * 16)
        (tmp_path / f"{split}.jsonl").write_text(lines)
    monkeypatch.setenv("PAIRS_DIR", str(tmp_path))
    bert = Path(make_tiny_bert(tmp_path / "bert", layers=2))
    config = json.loads((bert / "config.json").read_text())
    config.update(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)  # it is tiny
    (bert / "config.json").write_text(json.dumps(config))
    monkeypatch.setenv("MINILM_DIR", str(bert))
    return tmp_path


CONFIG = ROOT / "examples" / "pairs" / "config.jsonnet"


def test_a_pair_has_the_separator_of_the_transformer(directory: Path) -> None:
    reader = DatasetReader.from_params(Params.from_file(str(CONFIG)).pop("dataset_reader"))
    (instance, *_) = reader.readers["pairs"].read(directory / "dev.jsonl")  # type: ignore
    instance.index_fields(Vocabulary.from_instances([instance]))
    tensors: Any = instance.as_tensor_dict()["text"]
    # [CLS] the cat sat [SEP] not cat sat [SEP]
    assert tensors["tokens"]["token_ids"].tolist() == [2, 5, 6, 8, 3, 16, 6, 8, 3]


@pytest.mark.slow
def test_a_classifier_and_a_regression_learn_from_pairs(directory: Path) -> None:
    overrides = {
        **{f"model.heads.{head}.seq2vec_encoder.embedding_dim": HIDDEN_SIZE for head in HEADS},
        **{f"model.heads.{head}.dropout": 0.0 for head in HEADS},
        "trainer.validation_metric": "-loss",
        "trainer.num_epochs": 30,
        "trainer.optimizer.lr": 0.005,
    }
    run_allennlp_here(
        *["train", CONFIG, "-s", directory / "run", "-o", json.dumps(overrides)],
        *["--include-package", "multitask_model", "--file-friendly-logging"],
        directory=directory,
    )
    metrics = json.loads((directory / "run" / "metrics.json").read_text())
    first = json.loads((directory / "run" / "metrics_epoch_0.json").read_text())
    # The transformer has random weights. Half of the pairs are entailed.
    assert metrics["best_validation_entailment_accuracy"] >= 0.75
    for head in HEADS:
        assert metrics[f"best_validation_{head}_loss"] < first[f"validation_{head}_loss"]
