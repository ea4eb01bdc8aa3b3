"""The length of a loader, and resuming from its state."""

import copy
from typing import Optional

import pytest
from allennlp.common.checks import ConfigurationError

from multitask_model.data import MultiTaskDataLoader
from tests.helpers.loading import epoch, flat, make_loader
from tests.helpers.samplers import default_sampler, make_sampler
from tests.helpers.schedulers import make_scheduler


def test_the_length_is_that_of_the_current_epoch() -> None:
    # The exact counts are 4/3 and 8/3: either 1 and 3, in three batches, or 2 and 2, in two.
    loader = make_loader(
        {"a": 9, "b": 9},
        make_scheduler("homogeneous_roundrobin", 2),
        sampler=make_sampler("weighted", weights={"a": 1, "b": 2}),
        instances_per_epoch=4,
    )
    lengths = []
    for _ in range(8):
        before = len(loader)
        count = 0
        for _ in loader:
            count += 1
            assert len(loader) == before
        assert count == before
        lengths.append(before)
    assert lengths == [3, 2, 3, 3, 2, 3, 3, 2]


def test_an_epoch_that_is_left_early_is_over() -> None:
    loader, reference = (make_loader({"a": 9}) for _ in range(2))
    next(iter(loader))
    epoch(reference)
    assert epoch(loader) == epoch(reference)


@pytest.mark.parametrize("lazy", [None, 3])
def test_another_loader_resumes_from_the_state(lazy: Optional[int]) -> None:
    def make(seed: int) -> MultiTaskDataLoader:
        return make_loader(
            {"a": 7, "b": 4},
            seed=seed,
            sampler=default_sampler("dynamic"),
            instances_per_epoch=5,
            max_instances_in_memory=lazy,
        )

    uninterrupted, resumed = make(1), make(2)
    for i in range(3):
        state = uninterrupted.state_dict()
        batches = iter(uninterrupted)
        first = next(batches)
        assert uninterrupted.state_dict() == state  # the current epoch is repeated from its start
        expected = [first["number"], *(batch["number"] for batch in batches)]
        assert uninterrupted.state_dict() != state
        metrics = {"a_accuracy": 0.1 * i, "b_accuracy": 0.5, "c_accuracy": 0.0}
        uninterrupted.update_from_epoch_metrics(metrics)
        resumed.load_state_dict(state)
        assert [batch["number"] for batch in resumed] == expected
        # The loader does not modify the state that it is given.
        resumed.load_state_dict(state)
        assert [batch["number"] for batch in resumed] == expected


def test_fast_forward_replaces_earlier_batches_by_empty_ones() -> None:
    uninterrupted, resumed = make_loader({"a": 7}, seed=1), make_loader({"a": 7}, seed=2)
    epoch(uninterrupted)
    next(iter(uninterrupted))
    state = uninterrupted.state_dict()
    third = epoch(uninterrupted)
    resumed.load_state_dict(state, fast_forward=1)
    assert resumed.state_dict() == state
    for length in (3, 1):
        assert len(resumed) == length
        assert list(resumed) == [{}] * length
    assert len(resumed) == 3
    found = list(resumed)
    assert found[0] == {}
    assert [batch["number"] for batch in found[1:]] == [
        [int(name[1:]) for name in batch] for batch in third[1:]
    ]
    assert len(found) == 3
    assert epoch(resumed) == epoch(uninterrupted)


def test_batches_are_counted_from_the_start_of_training() -> None:
    loader, resumed = make_loader({"a": 7}), make_loader({"a": 7}, seed=2)
    open_epoch = iter(loader)
    next(open_epoch)
    next(iter(loader))
    loader.start_training()
    assert loader.state_dict()["batches"] == []
    epoch(loader)
    assert next(open_epoch)
    assert loader.state_dict()["batches"] == [3]
    resumed.load_state_dict(loader.state_dict(), fast_forward=0)
    assert list(resumed) == [{}] * 3
    assert epoch(resumed) == epoch(loader)


def test_the_state_of_other_datasets_is_an_error() -> None:
    state = make_loader({"a": 1, "b": 1}).state_dict()
    with pytest.raises(ConfigurationError) as error:
        make_loader({"a": 1}).load_state_dict(state)
    assert str(error.value) == (
        "The state of a loader must be for its datasets, ['a'], but got ['a', 'b']. Correct the "
        "data path, or start a new run."
    )


def test_a_loader_in_the_middle_of_a_lazily_read_dataset_can_be_copied() -> None:
    loader = make_loader(
        {"a": 7},
        sampler=make_sampler("uniform"),
        shuffle=False,
        instances_per_epoch=3,
        max_instances_in_memory=2,
    )
    assert flat(epoch(loader)) == ["a0", "a1", "a2"]
    other = copy.deepcopy(loader)
    assert flat(epoch(other)) == flat(epoch(loader)) == ["a3", "a4", "a5"]
