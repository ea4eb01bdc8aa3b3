"""
AllenNLP's callback `wandb` with this package's model and data loader, in W&B's offline mode, which
writes to files.
"""

import json
from pathlib import Path
from typing import Any, List

import pytest

from tests.helpers.commands import PACKAGE, run_allennlp
from tests.helpers.event_files import read_wandb_run
from tests.helpers.training_config import HEADS, make_config

pytestmark = pytest.mark.slow

PACKAGES = [*PACKAGE, "--include-package", "tests.helpers.training_config"]
BATCHES = 3  # in an epoch: ten instances in batches of four
LOSSES = [*(f"{head}_loss" for head in HEADS), "loss"]


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    A folder with a training of one epoch in `run`. W&B starts a process of its own, so the training
    is a process too, with which that ends.
    """
    folder = tmp_path_factory.mktemp("wandb")
    config = make_config(folder)
    callback = {"type": "wandb", "project": "shared", "summary_interval": 1}
    config["trainer"]["callbacks"] = [callback]
    (folder / "config.json").write_text(json.dumps(config))
    settings = {
        "WANDB_MODE": "offline",
        "WANDB_ERROR_REPORTING": "false",  # errors would be reported in this mode too
        **{f"WANDB_{name}_DIR": str(folder / "home") for name in ("CACHE", "CONFIG", "DATA")},
        "HOME": str(folder / "home"),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        run_allennlp("train", "config.json", "-s", "run", *PACKAGES, directory=folder)
    return folder


def test_the_losses_of_each_head_are_logged(folder: Path) -> None:
    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    _, scalars = read_wandb_run(folder / "run" / "wandb")
    for part, prefix in [("train", "training"), ("validation", "validation")]:
        logged = {name: list(scalars[f"{part}/{name}"].values()) for name in LOSSES}
        assert logged == {name: [metrics[f"{prefix}_{name}"]] for name in LOSSES}


def test_the_running_loss_of_each_head_is_logged_for_each_batch(folder: Path) -> None:
    _, scalars = read_wandb_run(folder / "run" / "wandb")
    for name in LOSSES[:-1]:
        batches = scalars[f"train/batch_{name}"]
        assert list(batches) == list(range(1, BATCHES + 1))
        assert batches[BATCHES] == pytest.approx(scalars[f"train/{name}"][BATCHES])


def test_the_run_has_the_project_and_the_config(folder: Path) -> None:
    run, _ = read_wandb_run(folder / "run" / "wandb")
    assert run.project == "shared"
    config: Any = {item.key: json.loads(item.value_json) for item in run.config.update}
    assert config["model"]["task_heads"] == {"tweets": ["polarity"], "ewt": ["genre", "mood"]}


def test_the_config_and_the_log_are_saved_with_the_run(folder: Path) -> None:
    (files,) = (folder / "run" / "wandb").glob("offline-run-*/files")
    for name in ("config.json", "out.log"):
        assert (files / name).read_bytes() == (folder / "run" / name).read_bytes()


def test_no_process_is_left(folder: Path) -> None:
    assert processes_with(str(folder / "home")) == []


def processes_with(text: str) -> List[str]:
    """The commands of the running processes that have `text` in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if text.encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text())
        except OSError:  # it ended, or it belongs to another user
            continue
    return found
