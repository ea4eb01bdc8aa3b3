"""Training runs that record the batches they train on, and can be killed."""

import json
import os
import signal
from pathlib import Path
from typing import Any, Dict, List, Optional

from allennlp.data import TensorDict
from allennlp.training import GradientDescentTrainer
from allennlp.training.callbacks import TrainerCallback

from tests.helpers.commands import PACKAGE, run_allennlp_here

Lines = List[Dict[str, Any]]

SIZES = {"a": 13, "b": 5}
"""The training instances of the tasks in `recording_config`."""

PACKAGES = [*PACKAGE, "--include-package", "tests.helpers.recording"]
"""The options of `allennlp` that a run with `recording_config` requires."""

_MODULES = "tests.data.data_loaders.test_multitask_data_loader"


@TrainerCallback.register("tests_recording")
class RecordingCallback(TrainerCallback):
    """
    Appends a line to `trained.jsonl` for each training batch.

    # Parameters

    kill_after : `int`, optional (default = `None`)
        Kills the process with SIGKILL after this number of batches, unless the file `killed`
        exists, which it then writes.
    look : `bool`, optional (default = `False`)
        Takes a batch from the data loader before the training.
    """

    def __init__(
        self, serialization_dir: str, kill_after: Optional[int] = None, look: bool = False
    ) -> None:
        super().__init__(serialization_dir)
        self.look = look
        self.folder = Path(serialization_dir)
        self.kill_after = kill_after

    def on_start(self, trainer: GradientDescentTrainer, *args: Any, **kwargs: Any) -> None:
        if self.look:
            next(iter(trainer.data_loader))

    def on_batch(
        self,
        trainer: GradientDescentTrainer,
        batch_inputs: List[TensorDict],
        *args: Any,
        **kwargs: Any,
    ) -> None:
        if not kwargs["is_training"]:
            return
        names = [
            f"{task}{number}"
            for batch in batch_inputs
            for task, number in zip(batch["task"], batch["number"])
        ]
        batches = trainer._total_batches_completed
        line = {"names": names, "total": batches, "lr": trainer.optimizer.param_groups[0]["lr"]}
        with open(self.folder / "trained.jsonl", "a") as file:
            file.write(json.dumps(line) + "\n")
        killed = self.folder / "killed"
        if batches == self.kill_after and not killed.exists():
            killed.touch()
            os.kill(os.getpid(), signal.SIGKILL)


def read_trained(folder: Path) -> Lines:
    """The lines that a run recorded."""
    return [json.loads(line) for line in (folder / "trained.jsonl").read_text().splitlines()]


def recording_config(**changes: Any) -> Dict[str, Any]:
    """
    The config of a run on two tasks, with 7 batches per epoch. `changes` are values by
    `"section.key"`.
    """
    reader = {"type": "tests.helpers.loading.NumbersReader"}
    params: Dict[str, Any] = {
        "dataset_reader": {"type": "multitask", "readers": {task: dict(reader) for task in SIZES}},
        "train_data_path": {task: str(size) for task, size in SIZES.items()},
        "validation_data_path": {"a": "3", "b": "3"},
        "data_loader": {"type": "multitask", "batch_size": 3},
        "model": {
            "type": "multitask",
            "backbone": {"type": f"{_MODULES}.Backbone"},
            "heads": {task: {"type": f"{_MODULES}.ClassHead"} for task in SIZES},
        },
        "trainer": {
            # Adam with PyTorch 1.12 also updates heads that are not in the batch, if they were in
            # an earlier one since the start of the process. SGD does not.
            "optimizer": {"type": "sgd", "lr": 0.1},
            "num_epochs": 4,
            "learning_rate_scheduler": {"type": "linear_with_warmup", "warmup_steps": 2},
            "checkpointer": {"save_every_num_batches": 1},
            "callbacks": [{"type": "tests_recording"}, {"type": "multitask_data"}],
        },
    }
    for place, value in changes.items():
        section, key = place.split(".")
        params[section][key] = value
    return params


def train(params: Dict[str, Any], folder: Path, name: str, *options: str) -> Path:
    """Runs `allennlp train` in this process. Returns the serialization directory."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(params))
    run_allennlp_here("train", path, "-s", folder / name, *options, *PACKAGES, directory=folder)
    return folder / name
