"""The order of the instances and batches in training: random, and reproducible from a seed."""

import random
from typing import List, Optional

import pytest
import torch

from tests.helpers.loading import epoch, flat, make_loader
from tests.helpers.schedulers import SCHEDULERS, make_scheduler


@pytest.mark.parametrize("lazy", [None, 4])
@pytest.mark.parametrize("name", SCHEDULERS)
def test_epochs_differ_and_repeat_from_a_seed(name: str, lazy: Optional[int]) -> None:
    def epochs(seed: int) -> List[List[List[str]]]:
        loader = make_loader(
            {"a": 12, "b": 5}, make_scheduler(name, 3), seed=seed, max_instances_in_memory=lazy
        )
        return [epoch(loader) for _ in range(3)]

    first = epochs(seed=1)
    assert first[0] != first[1] != first[2] != first[0]
    assert epochs(seed=1) == first
    assert epochs(seed=2)[0] != first[0]


def test_two_datasets_are_shuffled_differently() -> None:
    loader = make_loader({"a": 20, "b": 20}, make_scheduler("roundrobin", 2))
    assert any(first[1:] != second[1:] for first, second in epoch(loader))


@pytest.mark.parametrize("num_workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_an_epoch_neither_uses_nor_depends_on_the_global_generators(num_workers: int) -> None:
    loader = make_loader({"a": 9, "b": 5}, sorting_keys=["text"], num_workers=num_workers)
    python, pytorch = random.getstate(), torch.get_rng_state()
    for i in range(2):
        epoch(loader)
        random.seed(i)
        torch.manual_seed(i)
        random.setstate(python)
        torch.set_rng_state(pytorch)
    epoch(loader)
    assert random.getstate() == python
    assert torch.equal(torch.get_rng_state(), pytorch)


def test_shuffle_false_keeps_the_order_of_the_files() -> None:
    loader = make_loader({"a": 4, "b": 2}, make_scheduler("roundrobin", 3), shuffle=False)
    for _ in range(2):
        assert epoch(loader) == [["a0", "b0", "a1"], ["b1", "a2", "a3"]]


def test_a_small_dataset_lasts_until_the_end_of_the_epoch() -> None:
    loader = make_loader({"large": 90, "small": 9}, batch_size=3)
    last = [max(i for i, b in enumerate(epoch(loader)) if b[0][0] == "s") for _ in range(20)]
    # In round-robin order, the last of the 3 small batches out of 33 would always be number 5.
    assert sum(last) / len(last) > 20


def test_the_order_of_the_tasks_differs_between_epochs() -> None:
    loader = make_loader({"a": 20, "b": 20}, batch_size=1)
    orders = {tuple(name[0] for name in flat(epoch(loader))) for _ in range(3)}
    assert len(orders) == 3


def test_buckets_depend_on_the_seed() -> None:
    def buckets(seed: int) -> List[str]:
        loader = make_loader({"a": 40}, seed=seed, sorting_keys=["text"], padding_noise=0.0)
        return [name for batch in epoch(loader) for name in sorted(batch)]

    assert buckets(1) == buckets(1)
    assert buckets(1) != buckets(2)
