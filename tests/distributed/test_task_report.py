"""The callback `task_report` in two processes."""

import json
from pathlib import Path
from typing import Any, Dict

import pytest
from allennlp.commands.train import train_model
from allennlp.common import Params

from tests.helpers.commands import training_here
from tests.helpers.distributed_training import SIZES, make_config, write_data

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("forked_workers")]


def train(folder: Path, name: str, **changes: Any) -> Dict[str, Any]:
    config = make_config(folder, **changes)
    config["trainer"].update(
        num_epochs=1, callbacks=[{"type": "task_report", "picture": False, "console": False}]
    )
    config["trainer"]["optimizer"]["lr"] = 0.0  # the same predictions, whatever the batches were
    packages = ["multitask_model", "tests.helpers.distributed_training"]
    with training_here():
        train_model(Params(config), str(folder / f"run_{name}"), include_package=packages)
    report: Dict[str, Any] = json.loads((folder / f"run_{name}" / "report.json").read_text())
    return report


def test_two_processes_report_what_one_does(tmp_path: Path) -> None:
    write_data(tmp_path)
    one = train(tmp_path, "one")
    two = train(tmp_path, "two", distributed={"cuda_devices": [-1, -1]})
    assert (one["processes"], two["processes"]) == (1, 2)
    for name in ("instances", "head_instances"):
        assert two["epochs"][0][name] == one["epochs"][0][name]
    assert two["epochs"][0]["instances"] == SIZES
    assert two["labels"] == one["labels"]
    assert list(two["labels"]) == ["pos", "slots", "kind"]
    assert "2 processes" in (tmp_path / "run_two" / "report.html").read_text()
