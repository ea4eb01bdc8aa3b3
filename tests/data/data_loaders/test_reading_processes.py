"""Processes that read: the order of their instances, killed processes, and open files."""

import json
import os
import resource
import signal
import time
from pathlib import Path
from typing import Any, Iterator, List, Set

import pytest
from allennlp.data import Instance
from allennlp.data.fields import MetadataField

from multitask_model import LabeledJsonlReader
from multitask_model.data.data_loaders.reading_processes import round_robin
from multitask_model.data.data_loaders.task_dataset import TaskDataset
from tests.helpers.loading import NumbersReader, make_loader

START_METHODS = ["fork", "forkserver", "spawn"]


class KilledReader(NumbersReader):
    """Kills its process, if it is not the one of the test, when it reads instance 5."""

    def __init__(self, sleep: float = 0.0) -> None:
        super().__init__()
        self.sleep = sleep
        self.parent = os.getpid()

    def text_to_instance(self, number: int, *args: Any) -> Instance:
        if number == 5 and os.getpid() != self.parent:
            os.kill(os.getpid(), signal.SIGKILL)
        if number == 4 and os.getpid() != self.parent:
            time.sleep(self.sleep)
        return super().text_to_instance(number, *args)


class ProcessReader(NumbersReader):
    """Adds the id of the process that reads."""

    def text_to_instance(self, *args: Any, **kwargs: Any) -> Instance:
        instance = super().text_to_instance(*args, **kwargs)
        instance.add_field("process", MetadataField(os.getpid()))
        return instance


def test_streams_are_merged_in_the_order_of_the_file() -> None:
    # The first process reads 0, 2, 4, 6, 8 and the second one reads 1, 3, 5, 7.
    streams: List[Iterator[int]] = [iter([0, 2, 4, 6, 8]), iter([1, 3, 5, 7])]
    assert list(round_robin(streams)) == list(range(9))


def test_streams_of_different_lengths_are_merged() -> None:
    streams = [iter(items) for items in (["a1", "a2"], [], ["c1"])]
    assert list(round_robin(streams)) == ["a1", "c1", "a2"]


@pytest.mark.slow
@pytest.mark.parametrize("start_method", START_METHODS)
@pytest.mark.parametrize("sleep", [0.0, 600.0], ids=["others finish", "others wait"])
def test_a_killed_process_is_an_error_within_seconds(start_method: str, sleep: float) -> None:
    options: Any = {"num_workers": 2, "start_method": start_method, "max_instances_in_memory": 2}
    dataset = TaskDataset("a", KilledReader(sleep), "50", **options)
    start = time.monotonic()
    with pytest.raises(RuntimeError) as error:
        list(dataset.iter_instances())
    # Importing PyTorch and AllenNLP in a new process takes seconds.
    assert time.monotonic() - start < (10 if start_method == "fork" else 120)
    message = str(error.value)
    pid = message.split("end of process ")[1].split()[0]
    assert message == (
        "The processes that read the dataset 'a' must not end before they have sent all instances, "
        f"but got the end of process {pid} (exit code -9, SIGKILL). If the memory was not "
        "sufficient, reduce num_workers or set max_instances_in_memory. Set num_workers to 0 to "
        "read in the main process."
    )


@pytest.mark.slow
@pytest.mark.parametrize("start_method", START_METHODS)
def test_a_number_in_each_instance_needs_no_open_file(start_method: str, tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    rows = [{"text": ["a", "b"], "score": number / 8} for number in range(400)]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    readers: Any = {"a": LabeledJsonlReader({"score": "number"})}
    before = len(os.listdir("/proc/self/fd"))
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before + 60, limits[1]))
    try:
        loader = make_loader(
            {}, readers=readers, num_workers=1, start_method=start_method, data_path={"a": path}
        )
        assert len(os.listdir("/proc/self/fd")) < before + 30
        found = sorted(score for batch in loader for score in batch["score"].flatten().tolist())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert found == [row["score"] for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize("start_method", ["forkserver", "spawn"])
def test_the_same_processes_read_each_pass(start_method: str) -> None:
    options: Any = {"num_workers": 2, "start_method": start_method, "max_instances_in_memory": 2}
    dataset = TaskDataset("a", ProcessReader(), "15", **options)
    found: Set[int] = set()
    for _ in range(3):
        instances: Any = list(dataset.iter_instances())
        assert [instance["number"].metadata for instance in instances] == list(range(15))
        found.update(instance["process"].metadata for instance in instances)
    assert len(found) == 2
    # A pass that is left early ends the processes, and the next one starts others.
    next(dataset.iter_instances())
    instances = list(dataset.iter_instances())
    assert [instance["number"].metadata for instance in instances] == list(range(15))
    assert not found & {instance["process"].metadata for instance in instances}


@pytest.mark.slow
def test_two_passes_at_the_same_time_have_their_own_processes() -> None:
    options: Any = {"num_workers": 1, "start_method": "forkserver", "max_instances_in_memory": 2}
    dataset = TaskDataset("a", ProcessReader(), "5", **options)
    pairs: Any = list(zip(dataset.iter_instances(), dataset.iter_instances()))
    assert [(a["number"].metadata, b["number"].metadata) for a, b in pairs] == [
        (number, number) for number in range(5)
    ]
    assert len({instance["process"].metadata for pair in pairs for instance in pair}) == 2
