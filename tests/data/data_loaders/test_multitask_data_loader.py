"""Datasets with different fields, from a config, with AllenNLP's trainer and evaluator."""

import copy
import json
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.data import DataLoader, DatasetReader
from allennlp.evaluation import Evaluator
from allennlp.models import load_archive

from multitask_model import MultiTaskModel
from multitask_model.data import MultiTaskDataLoader
from tests.helpers.models import TinyBackbone, TinyHead, make_vocab

HERE = "tests.data.data_loaders.test_multitask_data_loader"


class Backbone(TinyBackbone):
    """`TinyBackbone` for configs."""


class ClassHead(TinyHead):
    """`TinyHead` for configs."""


DATA: Dict[str, List[Dict[str, Any]]] = {
    "tweets": [{"text": f"w{i}", "polarity": f"class{i % 3}"} for i in range(6)],
    "ewt": [
        {"text": f"w{i} w1", "genre": f"class{i % 2}", **({"mood": "class1"} if i % 2 else {})}
        for i in range(4)
    ]
    + [{"text": "w4 w1", "genre": "class0", "heads": ["genre"]}],
}


def config(folder: Path, **model: Any) -> Dict[str, Any]:
    """Writes `DATA` to files and returns a config. `model` are parameters of the model."""
    for task, rows in DATA.items():
        lines = "\n".join(json.dumps(row) for row in rows)
        (folder / f"{task}.jsonl").write_text(lines + "\n")
    files = {task: str(folder / f"{task}.jsonl") for task in DATA}
    reader = {"type": "tests.helpers.training_config.LinesReader"}
    head = {"type": f"{HERE}.ClassHead"}
    heads = ["polarity", "genre", "mood"]
    params = {
        "dataset_reader": {"type": "multitask", "readers": dict.fromkeys(DATA, reader)},
        "train_data_path": files,
        "validation_data_path": files,
        "data_loader": {
            "type": "multitask",
            "scheduler": {"type": "roundrobin", "batch_size": 4},
        },
        "model": {
            "type": "multitask",
            "backbone": {"type": f"{HERE}.Backbone"},
            "heads": dict.fromkeys(heads, head),
            "task_heads": {"tweets": ["polarity"], "ewt": ["genre", "mood"]},
            "arg_name_mapping": {name: {name: "label"} for name in heads},
            **model,
        },
        "trainer": {
            "optimizer": {"type": "sgd", "lr": 0.1},
            "num_epochs": 1,
            # These read every batch, including fields that only some rows have.
            "callbacks": [
                {"type": "console_logger", "should_log_inputs": True},
                {"type": "tensorboard", "should_log_learning_rate": True},
            ],
        },
    }
    return json.loads(json.dumps(params))  # without shared objects, because `Params` consumes them


def train(params: Dict[str, Any], folder: Path, name: str) -> Any:
    """Trains in this process and returns the model."""
    return train_model(Params(copy.deepcopy(params)), str(folder / name), force=True)


def batches(params: Dict[str, Any]) -> List[Dict[str, Any]]:
    """The training batches of a config."""
    params = copy.deepcopy(params)
    reader: Any = DatasetReader.from_params(Params(params["dataset_reader"]))
    loader: Any = DataLoader.from_params(
        Params(params["data_loader"]), reader=reader, data_path=params["train_data_path"]
    )
    assert isinstance(loader, MultiTaskDataLoader)
    loader.index_with(make_vocab())
    return list(loader)


def test_mixed_batches_have_fields_of_some_rows(tmp_path: Path) -> None:
    found = batches(config(tmp_path))
    assert [batch["task"] for batch in found[:1]] == [["tweets", "ewt"] * 2]
    assert found[0]["polarity"].rows == (0, 2)
    assert found[0]["genre"].rows == (1, 3)
    assert sum(len(batch["task"]) for batch in found) == 11


@pytest.mark.parametrize("reduction", ["heads", "instances"])
def test_a_model_is_trained_from_a_config(tmp_path: Path, reduction: str) -> None:
    model = train(config(tmp_path, loss_reduction=reduction), tmp_path, "run")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert isinstance(model, MultiTaskModel)
    for head in ("polarity", "genre", "mood"):
        assert metrics[f"training_{head}_loss"] > 0
        assert 0 <= metrics[f"validation_{head}_accuracy"] <= 1


def test_an_archive_is_evaluated_with_predictions(tmp_path: Path) -> None:
    params = config(tmp_path)
    train(params, tmp_path, "run")
    archive = load_archive(str(tmp_path / "run" / "model.tar.gz"))
    loader: Optional[DataLoader] = DataLoader.from_params(
        Params(copy.deepcopy(params["data_loader"])),
        reader=archive.dataset_reader,
        data_path=params["train_data_path"],
    )
    assert loader is not None
    loader.index_with(archive.model.vocab)
    output = tmp_path / "predictions.jsonl"
    metrics = Evaluator.from_params(Params({}))(
        archive.model, loader, predictions_output_file=output
    )
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    assert sum(len(line["polarity_label"]) for line in lines if "polarity_label" in line) == 6
    assert sum(len(line["mood_label"]) for line in lines if "mood_label" in line) == 4
    assert metrics["mood_loss"] > 0
