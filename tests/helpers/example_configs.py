"""Runs the configs of the examples at tiny sizes."""

import json
import os
import re
import shlex
import shutil
from pathlib import Path
from typing import Dict, List, Mapping

from tests.helpers.commands import ROOT, run_allennlp_here

# With so few instances, accuracies reach 1.0 early. The loss chooses a later epoch.
BY_LOSS: Dict[str, object] = {
    "trainer.patience": None,
    "trainer.validation_metric": "-loss",
    "data_loader.batch_size": 8,
}

# Drawing takes longer than such an epoch. The test of the example `vader` has pictures.
WITHOUT_PICTURE: Dict[str, object] = {
    "trainer.callbacks": [{"type": "task_report", "picture": False}]
}

# These runs are shorter than the warm-up of the config.
TINY_BILSTM: Dict[str, object] = {
    **BY_LOSS,
    "trainer.learning_rate_scheduler.warmup_steps": 0,
    "trainer.num_epochs": 8,
    "trainer.optimizer.lr": 0.01,
}

# A small transformer with random weights, so all weights have the same learning rate.
TINY_TRANSFORMER: Dict[str, object] = {
    **BY_LOSS,
    "model.backbone.dropout": 0.0,
    "trainer.num_epochs": 30,
    "trainer.optimizer.lr": 0.02,
    "trainer.optimizer.parameter_groups": None,
}


def copy_example(name: str, directory: Path) -> None:
    """
    Copies an example to the same path below `directory`, without its output folder. The embeddings
    and the BiLSTM of its copy are smaller.
    """
    ignored = shutil.ignore_patterns("work")
    shutil.copytree(ROOT / "examples" / name, directory / "examples" / name, ignore=ignored)
    config = directory / "examples" / name / "bilstm.jsonnet"
    text = config.read_text(encoding="utf-8")
    text, count = re.subn(
        r"^local (words|hidden) = (\d+);", r"local \1 = \2 / 5;", text, flags=re.M
    )
    assert count == 2
    config.write_text(text, encoding="utf-8")


def run_commands(config: str, overrides: Mapping[str, object], directory: Path) -> Dict[str, float]:
    """
    Runs the two commands that the README of the example has for a config, for training and for
    evaluation, and returns the metrics that the second one writes.
    """
    readme = _readme(config.partition("/")[0])
    run = config.replace("/", "/work/")
    train, evaluate = re.findall(rf"^ *allennlp (.*examples/{run}\b.*)$", readme, re.MULTILINE)
    assert f"examples/{config}.jsonnet" in train
    options = ["--overrides", json.dumps(overrides)]
    run_allennlp_here(*_arguments(train), *options, directory=directory)
    scores = directory / "scores.json"
    run_allennlp_here(*_arguments(evaluate), "--output-file", scores, directory=directory)
    return json.loads(scores.read_text())


def suggested_overrides(name: str) -> Dict[str, object]:
    """The `--overrides` of the only command with overrides in the README of an example."""
    (overrides,) = re.findall(r"^ .* --overrides '([^']+)'", _readme(name), re.MULTILINE)
    parsed: Dict[str, object] = json.loads(overrides)
    return parsed


def _readme(name: str) -> str:
    return (ROOT / "examples" / name / "README.md").read_text(encoding="utf-8")


def _arguments(command: str) -> List[str]:
    return shlex.split(os.path.expandvars(command))
