"""Passes over a dataset, and resuming from a position."""

import random
from collections import Counter
from typing import Any, List, Optional

import pytest
from allennlp.common.checks import ConfigurationError
from hypothesis import given, settings
from hypothesis import strategies as st

from multitask_model.data.data_loaders.instance_streams import (
    LazyStream,
    MemoryStream,
    Stream,
    shuffle_buffer,
)
from multitask_model.data.data_loaders.task_dataset import TaskDataset
from tests.helpers.loading import NumbersReader


def make_stream(size: int, lazy: Optional[int] = None, shuffle: bool = True) -> Stream:
    """A stream with seed 7; with `lazy`, of a dataset that is read lazily."""
    dataset = TaskDataset("a", NumbersReader(), str(size), max_instances_in_memory=lazy)
    return (LazyStream if lazy else MemoryStream)("a", dataset, 7, shuffle)


def numbers(refs: Any) -> List[int]:
    """The numbers of the instances that are referred to."""
    return [ref[1] if isinstance(ref, tuple) else ref["number"].metadata for ref in refs]


@pytest.mark.parametrize("lazy", [None, 1, 4, 100])
def test_each_pass_has_every_instance_once_in_another_order(lazy: Optional[int]) -> None:
    stream = make_stream(20, lazy)
    first, second = (numbers(stream.take(20)) for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(20))
    assert (first != second) == (lazy != 1)  # a buffer of one instance does not shuffle
    again = make_stream(20, lazy)
    assert numbers(again.take(20)) == first
    assert numbers(again.take(20)) == second


@pytest.mark.parametrize("lazy", [None, 3])
def test_passes_without_shuffling_keep_the_order(lazy: Optional[int]) -> None:
    stream = make_stream(3, lazy, shuffle=False)
    assert numbers(stream.take(4)) == [0, 1, 2, 0]
    assert stream.position == [1, 1]
    assert numbers(stream.take(1)) == [1]
    assert numbers(stream.take(None)) == [2]
    assert stream.position == [2, 0]
    assert numbers(stream.take(7)) == [0, 1, 2, 0, 1, 2, 0]


@settings(deadline=None, max_examples=60)
@given(
    size=st.integers(1, 12),
    lazy=st.sampled_from([None, 1, 3, 50]),
    takes=st.lists(st.integers(0, 20), min_size=1, max_size=6),
    stop=st.integers(0, 5),
)
def test_a_stream_resumes_from_a_position(
    size: int, lazy: Optional[int], takes: List[int], stop: int
) -> None:
    uninterrupted = make_stream(size, lazy)
    taken, positions = [], []
    for count in takes:
        positions.append(uninterrupted.position)
        refs: Any = uninterrupted.take(count)
        assert len(refs) == count
        taken.append(numbers(refs))
    # No instance is repeated before all others were taken.
    counts = Counter(number for numbers_ in taken for number in numbers_)
    rounds, rest = divmod(sum(takes), size)
    assert all(rounds <= counts[i] <= rounds + bool(rest) for i in range(size))

    stop = stop % len(takes)
    resumed = make_stream(size, lazy)
    resumed.move_to(positions[stop], seed=7)
    assert [numbers(resumed.take(count)) for count in takes[stop:]] == taken[stop:]


@pytest.mark.parametrize("lazy", [None, 4])
def test_a_full_pass_does_not_change_the_position(lazy: Optional[int]) -> None:
    expected, stream = (make_stream(9, lazy) for _ in range(2))
    assert numbers(expected.take(5)) == numbers(stream.take(5))
    assert numbers(stream.full_pass("x", False)) == list(range(9))
    assert sorted(numbers(stream.full_pass("x", True))) == list(range(9))
    assert numbers(expected.take(5)) == numbers(stream.take(5))


def test_a_lazily_read_pass_that_is_left_early_is_over() -> None:
    stream = make_stream(5, lazy=2, shuffle=False)
    assert numbers([next(iter(stream.take(None)))]) == [0]
    assert stream.position == [1, 0]


def test_a_dataset_that_becomes_empty_is_an_error() -> None:
    dataset = TaskDataset("a", NumbersReader(), "2", max_instances_in_memory=1)
    stream = LazyStream("a", dataset, seed=7, shuffle=True)
    dataset.job = dataset.job._replace(data_path="0")
    with pytest.raises(ConfigurationError) as error:
        list(stream.take(3))
    assert str(error.value) == (
        "Every pass over a dataset must have at least one instance, but got none of 'a' in pass 1. "
        "Do not change its file during training, and let its reader read the file again in each "
        "call of read."
    )


def test_a_shuffle_buffer_shuffles_approximately() -> None:
    found = list(shuffle_buffer(range(1000), 10, random.Random(1)))
    assert sorted(found) == list(range(1000))
    # An item can be at most the size of the buffer ahead of its place.
    assert max(number - place for place, number in enumerate(found)) <= 10
    assert found[:20] != list(range(20))
