"""AllenNLP's callback `tensorboard` with this package's model and data loader."""

import json
from pathlib import Path
from typing import Any, Dict, Tuple

import numpy
import pytest

import multitask_model  # noqa: F401  (registers the types)
from tests.helpers.event_files import Scalars, read_scalars
from tests.helpers.training_config import HEADS, make_config, train

EPOCHS = 2
BATCHES = 3  # in an epoch: ten instances in batches of four
LOSSES = [*(f"{head}_loss" for head in HEADS), "loss"]


@pytest.fixture(name="run", scope="module")
def _run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The serialization directory of a training that writes every batch."""
    folder = tmp_path_factory.mktemp("tensorboard")
    config = make_config(folder)
    config["trainer"]["num_epochs"] = EPOCHS
    config["trainer"]["callbacks"] = [{"type": "tensorboard", "summary_interval": 1}]
    train(config, folder, "run")
    return folder / "run"


def read_run(run: Path) -> Tuple[Scalars, Scalars]:
    return read_scalars(run / "log" / "train"), read_scalars(run / "log" / "validation")


def metrics_of_epochs(run: Path, name: str) -> Dict[int, float]:
    """A metric that AllenNLP saved, in the precision and by the step of TensorBoard."""
    files = [run / f"metrics_epoch_{epoch}.json" for epoch in range(EPOCHS)]
    values: Any = [json.loads(file.read_text())[name] for file in files]
    return {epoch + 1: float(numpy.float32(value)) for epoch, value in enumerate(values)}


@pytest.mark.parametrize("name", [*LOSSES, *(f"{head}_accuracy" for head in HEADS)])
def test_the_metrics_of_each_head_are_written_for_each_epoch(name: str, run: Path) -> None:
    training, validation = read_run(run)
    assert training[f"train/{name}"] == metrics_of_epochs(run, f"training_{name}")
    assert validation[f"validation/{name}"] == metrics_of_epochs(run, f"validation_{name}")


@pytest.mark.parametrize("name", LOSSES[:-1])
def test_the_running_loss_of_each_head_is_written_for_each_batch(name: str, run: Path) -> None:
    training, _ = read_run(run)
    batches = training[f"train/batch_{name}"]
    # AllenNLP counts the batch before it is written, and adds one.
    assert list(batches) == [batch + 1 for batch in range(1, EPOCHS * BATCHES + 1)]
    # After the last batch of an epoch, the running loss is the loss of the epoch.
    last = [batches[epoch * BATCHES + 1] for epoch in range(1, EPOCHS + 1)]
    assert last == list(training[f"train/{name}"].values())
