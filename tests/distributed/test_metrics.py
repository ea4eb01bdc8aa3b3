"""Metrics in two processes: for each task, of other metrics than sums, and errors."""

import os
import pickle
import signal
from pathlib import Path
from typing import Any, Dict, List

import pytest
import torch
from allennlp.training.metrics import Average, CategoricalAccuracy, Metric
from torch.multiprocessing import ProcessExitedException, ProcessRaisedException

from tests.helpers.distributed_training import process_group
from tests.helpers.models import make_instance
from tests.helpers.multitask import batch_of, tiny_model
from tests.helpers.processes import run_processes

pytestmark = pytest.mark.slow

TASKS = {"x": ["a"], "y": ["a", "b"]}
# The batches of each process: a task and a label, if there is one, for each instance.
BATCHES = [[["x0", "y1", "y-"], ["x2"]], [["y0", "x1"]]]


class Latest(Metric):
    """The accuracy of the last call, which depends on the order of the calls."""

    supports_distributed = True

    def __init__(self) -> None:
        self.accuracy = CategoricalAccuracy()

    def __call__(self, *args: Any) -> None:
        self.accuracy.reset()
        self.accuracy(*args)

    def get_metric(self, reset: bool = False) -> float:
        return self.accuracy.get_metric(reset)

    def reset(self) -> None:
        self.accuracy.reset()


def make_model() -> Any:
    model = tiny_model("ab", task_heads=TASKS, per_task_metrics=True)
    model.head("b").accuracy = Latest()
    return model.eval()


def batch(rows: List[str]) -> Dict[str, Any]:
    labels = [None if row[-1] == "-" else f"class{row[-1]}" for row in rows]
    texts = [f"w{ord(row[0]) % 7 + i} w{i}" for i, row in enumerate(rows)]
    return batch_of(
        [
            make_instance(text, row[:-1], label=label)
            for text, row, label in zip(texts, rows, labels)
        ]
    )


def evaluate(batches: List[List[str]]) -> Dict[str, float]:
    model = make_model()
    for rows in batches:
        model(**batch(rows))
    metrics: Dict[str, float] = model.get_metrics(reset=True)
    return metrics


def run_process(rank: int, folder: str) -> None:
    with process_group(Path(folder), rank, 2):
        found = evaluate(BATCHES[rank])
    (Path(folder) / f"{rank}").write_bytes(pickle.dumps(found))


def test_metrics_are_those_of_one_process(tmp_path: Path) -> None:
    run_processes(run_process, str(tmp_path))
    # Metrics that depend on the order get the first call of each process before the second ones.
    expected = evaluate([BATCHES[0][0], BATCHES[1][0], BATCHES[0][1]])
    assert {"a_accuracy", "a_loss", "b_accuracy", "x_a_accuracy", "y_a_loss"} < set(expected)
    for rank in (0, 1):
        found = pickle.loads((tmp_path / f"{rank}").read_bytes())
        assert list(found) == list(expected)
        assert found == pytest.approx(expected, abs=1e-6)


def use_other_metrics(rank: int, folder: str) -> None:
    with process_group(Path(folder), rank, 2):
        model = make_model()
        if rank == 1:
            model.head("a").other = Average()
        model(**batch(["x0"]))
        model.get_metrics(reset=True)


def test_other_metrics_in_another_process_are_an_error(tmp_path: Path) -> None:
    message = (
        r"The head 'a' must have the same metrics in every process, but got "
        r"\['CategoricalAccuracy'\] in process 0 and \['CategoricalAccuracy', 'Average'\] in "
        r"process 1. Create all metrics in __init__."
    )
    with pytest.raises(ProcessRaisedException, match=message):
        run_processes(use_other_metrics, str(tmp_path))


def die(rank: int, folder: str) -> None:
    with process_group(Path(folder), rank, 2):
        model = make_model()
        model(**batch(["x0"]))
        if rank == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        model.get_metrics(reset=True)


def test_a_killed_process_ends_the_others(tmp_path: Path) -> None:
    with pytest.raises((ProcessExitedException, ProcessRaisedException)):
        run_processes(die, str(tmp_path))


def test_metrics_of_one_process_are_not_changed() -> None:
    model = make_model()
    classes = [type(model.head("a").accuracy), torch.distributed.is_initialized]
    model(**batch(["x0"]))
    model.get_metrics(reset=True)
    assert [type(model.head("a").accuracy), torch.distributed.is_initialized] == classes
