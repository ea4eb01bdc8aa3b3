"""Everything about a loader that can be found wrong when it is made."""

import logging
from typing import Any, Dict, Optional

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.data.data_loaders import multitask_scheduler
from allennlp.data.data_loaders.multitask_epoch_sampler import UniformSampler

from multitask_model.data import MultiTaskDataLoader, MultiTaskDatasetReader
from multitask_model.data.schedulers import HomogeneousRoundRobinScheduler, RoundRobinScheduler
from tests.data.data_loaders.test_epochs import Halving
from tests.helpers.loading import NumbersReader, make_loader, messages


def error_of(*args: Any, sizes: Optional[Dict[str, int]] = None, **options: Any) -> str:
    with pytest.raises(ConfigurationError) as error:
        make_loader(sizes or {"a": 3, "b": 2}, *args, **options)
    return str(error.value)


def test_an_empty_dataset() -> None:
    expected = (
        "Every dataset must have at least one instance, but 'b' has none: its reader "
        "(NumbersReader) found nothing in '0'. Correct the path or the file, or leave the dataset "
        "out."
    )
    for options in ({}, {"max_instances_in_memory": 4}, {"num_workers": {"b": 1}}):
        assert error_of(sizes={"a": 3, "b": 0}, **options) == expected


@pytest.mark.parametrize("data_path", [{}, "file.jsonl", None], ids=["none", "one", "null"])
def test_a_data_path_without_tasks(data_path: Any) -> None:
    reader = MultiTaskDatasetReader({"a": NumbersReader(), "b": NumbersReader()})
    with pytest.raises(ConfigurationError) as error:
        MultiTaskDataLoader(reader, data_path, batch_size=2)
    assert str(error.value) == (
        "The data path of a multitask loader must have the path of at least one task's data, but "
        f'it is {data_path!r}. Write it as {{"TASK": "PATH"}}. The tasks of the dataset reader: '
        "['a', 'b']."
    )


def test_a_task_without_a_reader() -> None:
    readers = {"tweets": NumbersReader(), "ewt": NumbersReader()}
    assert error_of(sizes={"tweet": 3}, readers=readers) == (
        "The data path of a multitask loader must name tasks that have a reader, but it names "
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
def test_an_option_for_an_unknown_task(option: str) -> None:
    assert error_of(**{option: {"a": 1, "d": 1}}) in (
        f"{option} must name tasks of the dataset reader, but got 'd'. Known names: ['a', 'b', "
        "'c'].",
    )


@pytest.mark.parametrize(
    ("option", "value", "requires"),
    [
        ("num_workers", -1, "a whole number of at least 0"),
        ("num_workers", True, "a whole number of at least 0"),
        ("max_instances_in_memory", 0, "a whole number of at least 1"),
        ("instance_queue_size", 0, "a whole number of at least 1"),
        ("instance_chunk_size", 1.5, "a whole number of at least 1"),
        ("start_method", "forks", "one of ['fork', 'forkserver', 'spawn']"),
    ],
)
def test_an_option_that_cannot_be(option: str, value: Any, requires: str) -> None:
    expected = (
        f"{option} must be {requires}, but for 'b' it is {value!r}. Correct it, or leave it out "
        "for the default."
    )
    assert error_of(**{option: {"b": value}}) == expected
    assert error_of(**{option: value}) == expected.replace("'b'", "'a'")


def test_an_option_for_a_task_that_this_split_has_no_data_of() -> None:
    loader = make_loader({"a": 3}, num_workers={"b": 2})
    assert loader._workers.number == 0


def test_neither_a_scheduler_nor_a_batch_size() -> None:
    assert error_of(None) == (
        "A multitask loader requires either a scheduler or a batch_size, but it was given neither. "
        "With a batch_size, the scheduler is 'shuffled'."
    )


def test_a_scheduler_and_a_batch_size() -> None:
    assert error_of(RoundRobinScheduler(2), batch_size=2) == (
        "A multitask loader requires either a scheduler or a batch_size, but it was given both. "
        "With a batch_size, the scheduler is 'shuffled'."
    )


def test_instances_per_epoch_without_a_sampler() -> None:
    assert error_of(instances_per_epoch=3) == (
        "With instances_per_epoch, a multitask loader requires a sampler that says what share of "
        "them each dataset gets, but it was given none. Add one, such as 'proportional', or leave "
        "out instances_per_epoch."
    )


def test_instances_per_epoch_that_cannot_be() -> None:
    assert error_of(sampler=UniformSampler(), instances_per_epoch=0) == (
        "instances_per_epoch must be a whole number of at least 1, but it is 0. Correct it, or "
        "leave it out for the default."
    )


def test_a_sampler_without_instances_per_epoch(caplog: pytest.LogCaptureFixture) -> None:
    make_loader({"a": 1}, sampler=UniformSampler())
    assert messages(caplog) == [
        "The sampler (UniformSampler) has no effect without instances_per_epoch: each epoch has "
        "every instance once. Set it, or leave out the sampler."
    ]


def test_buckets_without_shuffling(caplog: pytest.LogCaptureFixture) -> None:
    make_loader({"a": 1}, sorting_keys=["text"], shuffle=False)
    assert messages(caplog) == [
        "sorting_keys has no effect, because shuffle is false and the instances keep the order of "
        "the "
        "files. Leave out one of the two."
    ]


def test_a_missing_batch_size() -> None:
    assert error_of(HomogeneousRoundRobinScheduler({"a": 2})) == (
        "batch_size must have a number for every dataset, but it has none for 'b'. Its keys: "
        "['a']. Add one, or give one number for all."
    )
    theirs = multitask_scheduler.HomogeneousRoundRobinScheduler({"a": 2})
    assert error_of(theirs) == (
        "The scheduler must have a batch size for every dataset, but the batch_size of "
        "HomogeneousRoundRobinScheduler has none for 'b': it is {'a': 2}. Add one, or give the "
        "class a method batch_size_of(task)."
    )


def test_buckets_for_a_scheduler_without_a_batch_size() -> None:
    assert error_of(Halving(), sorting_keys=["text"]) == (
        "The scheduler must have a batch size for every dataset, but the batch_size of Halving has "
        "none for 'a': it is None. Add one, or give the class a method batch_size_of(task)."
    )


def test_batch_sizes_of_tasks_that_this_split_has_no_data_of() -> None:
    loader = make_loader({"a": 3}, batch_size={"a": 2, "c": 5})
    assert len(loader) == 2


def test_the_share_of_padding_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "multitask_model")
    loader = make_loader({"a": 3}, shuffle=False)  # texts of 1, 2 and 3 tokens
    list(loader)
    assert loader.padding_share == pytest.approx(1 / 3)
    assert messages(caplog, logging.INFO) == ["Padding: 33.3% of what the batches hold"]
