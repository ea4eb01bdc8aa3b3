"""Iteration with gradients disabled: all instances once, without an effect on training."""

import torch

from multitask_model.data.samplers import WeightedSampler
from multitask_model.data.schedulers import HomogeneousRoundRobinScheduler
from tests.helpers.loading import epoch, every, flat, make_loader
from tests.helpers.samplers import default_sampler
from tests.helpers.schedulers import make_scheduler


def test_evaluation_has_everything_in_order_every_time() -> None:
    loader, reference = (
        make_loader(
            {"a": 4, "b": 2},
            make_scheduler("homogeneous_roundrobin", 3),
            sampler=default_sampler("uniform"),
            instances_per_epoch=2,
        )
        for _ in range(2)
    )
    for _ in range(3):
        with torch.no_grad():
            assert len(loader) == 3
            assert epoch(loader) == [["a0", "a1", "a2"], ["b0", "b1"], ["a3"]]
        assert len(loader) == 2
        assert epoch(loader) == epoch(reference)  # training continues without an effect


def test_shuffle_true_shuffles_evaluation() -> None:
    loader = make_loader({"a": 30}, shuffle=True)
    with torch.no_grad():
        first, second = flat(epoch(loader)), flat(epoch(loader))
    assert sorted(first) == sorted(second) == every({"a": 30})
    assert first != second
    assert first != every({"a": 30})


def test_evaluation_has_the_same_batches_every_time_with_a_random_scheduler() -> None:
    loader = make_loader({"a": 9, "b": 9}, make_scheduler("shuffled", 2))
    with torch.no_grad():
        first = epoch(loader)
        assert epoch(loader) == first
    assert [name for name in flat(first) if name[0] == "a"] == [f"a{i}" for i in range(9)]


def test_evaluation_ignores_drop_last() -> None:
    scheduler = HomogeneousRoundRobinScheduler(3, drop_last=True)
    loader = make_loader({"a": 7}, scheduler)
    with torch.no_grad():
        assert len(loader) == 3
        assert sorted(flat(epoch(loader))) == every({"a": 7})
    assert len(epoch(loader)) == len(loader) == 2
    assert scheduler.drop_last


def test_a_loader_for_evaluation_does_not_need_a_valid_sampler() -> None:
    sampler = WeightedSampler({"a": 1.0, "b": 0.0})
    loader = make_loader({"b": 4}, sampler=sampler, instances_per_epoch=2)
    with torch.no_grad():
        assert sorted(flat(epoch(loader))) == every({"b": 4})


def test_evaluation_is_bucketed_where_the_order_does_not_matter() -> None:
    loader = make_loader({"a": 6}, batch_size=2, sorting_keys=["text"])  # lengths 1 2 3 1 2 3
    with torch.no_grad():
        with loader.any_order():
            assert len(loader) == 3
            first = epoch(loader)
            assert sorted(map(sorted, first)) == [["a0", "a3"], ["a1", "a4"], ["a2", "a5"]]
            assert epoch(loader) == first
        assert epoch(loader) == [["a0", "a1"], ["a2", "a3"], ["a4", "a5"]]
