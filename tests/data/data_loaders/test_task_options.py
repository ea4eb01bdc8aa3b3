"""The data path and the options per task: their values, and errors at construction."""

from typing import Any

import pytest
from allennlp.common.checks import ConfigurationError

from multitask_model.data import MultiTaskDataLoader, MultiTaskDatasetReader
from tests.helpers.loading import NumbersReader, loader_error, make_loader


@pytest.mark.parametrize("data_path", [{}, "file.jsonl", None], ids=["empty", "string", "null"])
def test_a_data_path_without_tasks_is_an_error(data_path: Any) -> None:
    reader = MultiTaskDatasetReader({"a": NumbersReader(), "b": NumbersReader()})
    with pytest.raises(ConfigurationError) as error:
        MultiTaskDataLoader(reader, data_path, batch_size=2)
    assert str(error.value) == (
        "The data path of a multitask loader must map at least one task to its data, but got "
        f'{data_path!r}. Write it as {{"TASK": "PATH"}}. The tasks of the dataset reader: '
        "['a', 'b']."
    )


def test_a_data_path_for_a_task_without_a_reader_is_an_error() -> None:
    readers = {"tweets": NumbersReader(), "ewt": NumbersReader()}
    assert loader_error(sizes={"tweet": 3}, readers=readers) == (
        "The data path of a multitask loader must name tasks that have a reader, but got "
        "'tweet'. Did you mean 'tweets'? The tasks of the dataset reader: ['tweets', 'ewt']."
    )


@pytest.mark.parametrize(
    "option",
    [
        "num_workers",
        "max_instances_in_memory",
        "start_method",
        "instance_queue_size",
        "instance_chunk_size",
    ],
)
def test_an_option_for_an_unknown_task_is_an_error(option: str) -> None:
    values: Any = dict.fromkeys(["a", "d"], "fork" if option == "start_method" else 1)
    assert loader_error(**{option: values}) == (
        f"{option} must name tasks of the dataset reader, but got 'd'. Known names: ['a', 'b', "
        "'c']."
    )


@pytest.mark.parametrize(
    ("option", "value", "requires"),
    [
        ("num_workers", -1, "an integer of at least 0"),
        ("num_workers", True, "an integer of at least 0"),
        ("max_instances_in_memory", 0, "an integer of at least 1"),
        ("instance_queue_size", 0, "an integer of at least 1"),
        ("instance_chunk_size", 1.5, "an integer of at least 1"),
        ("start_method", "forks", "one of ['fork', 'forkserver', 'spawn']"),
    ],
)
def test_an_invalid_value_is_an_error(option: str, value: Any, requires: str) -> None:
    expected = (
        f"{option} must be {requires}, but got {value!r} for 'b'. Correct it, or remove it to use "
        "the default."
    )
    assert loader_error(**{option: {"b": value}}) == expected
    assert loader_error(**{option: value}) == expected.replace("'b'", "'a'")


def test_an_option_for_a_task_without_data_is_ignored() -> None:
    loader = make_loader({"a": 3}, num_workers={"b": 2})
    assert loader.collate_workers.num_workers == 0


def test_the_start_method_is_used_for_reading_and_for_collating() -> None:
    # Read lazily, so that no process is started at construction.
    loader = make_loader(
        {"a": 2, "b": 2},
        max_instances_in_memory=2,
        num_workers={"a": 1},
        start_method={"a": "spawn"},
    )
    assert loader.collate_workers.start_method == "spawn"
    processes = loader.datasets["a"].processes
    assert processes is not None
    assert processes.start_method == "spawn"


@pytest.mark.slow
def test_the_options_of_a_task_are_passed_to_its_dataset() -> None:
    loader = make_loader(
        {"a": 5, "b": 5},
        num_workers={"a": 1},
        instance_queue_size={"a": 40},
        instance_chunk_size={"a": 4},
        max_instances_in_memory={"a": 6},
    )
    dataset, other = loader.datasets["a"], loader.datasets["b"]
    assert dataset.processes is not None
    assert dataset.processes.num_workers == 1
    assert dataset.job.max_chunks == 10  # chunks of four
    assert dataset.job.chunk_size == 4
    assert dataset.max_instances_in_memory == 6
    assert other.processes is None
    assert other.job.max_chunks is None
