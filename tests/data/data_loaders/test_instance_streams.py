"""Passes over a dataset, and going on from a position."""

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
    loader = TaskDataset("a", NumbersReader(), str(size), max_instances_in_memory=lazy)
    return (LazyStream if lazy else MemoryStream)("a", loader, 7, shuffle)


def numbers(keys: Any) -> List[int]:
    return [key[1] if isinstance(key, tuple) else key["number"].metadata for key in keys]


@pytest.mark.parametrize("lazy", [None, 1, 4, 100])
def test_each_pass_has_every_instance_once_in_another_order(lazy: Optional[int]) -> None:
    stream = make_stream(20, lazy)
    first, second = (numbers(stream.take(20)) for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(20))
    assert (first != second) == (lazy != 1)  # among one at a time, nothing can be shuffled
    again = make_stream(20, lazy)
    assert numbers(again.take(20)) == first
    assert numbers(again.take(20)) == second


@pytest.mark.parametrize("lazy", [None, 3])
def test_passes_that_are_not_shuffled(lazy: Optional[int]) -> None:
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
def test_going_on_from_a_position(
    size: int, lazy: Optional[int], takes: List[int], stop: int
) -> None:
    unbroken = make_stream(size, lazy)
    whole, positions = [], []
    for count in takes:
        positions.append(unbroken.position)
        share: Any = unbroken.take(count)
        assert len(share) == count
        whole.append(numbers(share))
    # Never is there one for the second time before all the others had their turn.
    counts = Counter(number for numbers_ in whole for number in numbers_)
    rounds, rest = divmod(sum(takes), size)
    assert all(rounds <= counts[i] <= rounds + bool(rest) for i in range(size))

    stop = stop % len(takes)
    resumed = make_stream(size, lazy)
    resumed.move_to(positions[stop], seed=7)
    assert [numbers(resumed.take(count)) for count in takes[stop:]] == whole[stop:]


@pytest.mark.parametrize("lazy", [None, 4])
def test_what_is_looked_at_in_between_changes_nothing(lazy: Optional[int]) -> None:
    expected, stream = (make_stream(9, lazy) for _ in range(2))
    assert numbers(expected.take(5)) == numbers(stream.take(5))
    assert numbers(stream.whole("x", False)) == list(range(9))
    assert sorted(numbers(stream.whole("x", True))) == list(range(9))
    assert numbers(expected.take(5)) == numbers(stream.take(5))


def test_a_lazily_read_epoch_that_is_left_early_is_over() -> None:
    stream = make_stream(5, lazy=2, shuffle=False)
    assert next(iter(stream.take(None)))["number"].metadata == 0  # type: ignore
    assert stream.position == [1, 0]


def test_a_dataset_that_has_become_empty() -> None:
    stream = make_stream(2, lazy=1)
    stream._loader._loader.data_path = "0"
    with pytest.raises(ConfigurationError) as error:
        list(stream.take(3))
    assert str(error.value) == (
        "A dataset must have instances in every pass, but 'a' had none in pass 1. See to it that "
        "its file stays as it is and that its reader reads it anew each time."
    )


def test_shuffling_in_a_pool() -> None:
    found = list(shuffle_buffer(range(1000), 10, random.Random(1)))
    assert sorted(found) == list(range(1000))
    # Before one can come, no more than what fills the pool can have been left behind.
    assert max(number - place for place, number in enumerate(found)) <= 10
    assert found[:20] != list(range(20))
