"""A callback that notes what a trainer really trains on, and can kill it on the way."""

import json
import os
import signal
from pathlib import Path
from typing import Any, Dict, List, Optional

from allennlp.training.callbacks import TrainerCallback

Lines = List[Dict[str, Any]]


@TrainerCallback.register("tests_recording")
class RecordingCallback(TrainerCallback):
    """
    Appends a line to `trained.jsonl` for each batch that was trained on.

    # Parameters

    kill_after : `int`, optional (default = `None`)
        Kills the process, as nothing else than `kill -9` does, after so many batches in all, unless
        a file `killed` says that it has been done.
    """

    def __init__(self, serialization_dir: str, kill_after: Optional[int] = None) -> None:
        super().__init__(serialization_dir)
        self.folder = Path(serialization_dir)
        self.kill_after = kill_after

    def on_batch(self, trainer: Any, batch_inputs: Any, *args: Any, **kwargs: Any) -> None:
        if not kwargs["is_training"]:
            return
        names = [
            f"{task}{number}"
            for batch in batch_inputs
            for task, number in zip(batch["task"], batch["number"])
        ]
        line = {
            "names": names,
            "total": trainer._total_batches_completed,
            "lr": trainer.optimizer.param_groups[0]["lr"],
        }
        with open(self.folder / "trained.jsonl", "a") as file:
            file.write(json.dumps(line) + "\n")
        killed = self.folder / "killed"
        if trainer._total_batches_completed == self.kill_after and not killed.exists():
            killed.touch()
            os.kill(os.getpid(), signal.SIGKILL)


def read_trained(folder: Path) -> Lines:
    return [json.loads(line) for line in (folder / "trained.jsonl").read_text().splitlines()]
