"""Samplers and schedulers that were written for AllenNLP's data loader."""

import random
from collections import Counter
from typing import Any, Dict, Iterable, List, Mapping, Sized

import pytest
import torch
from allennlp.data import Instance
from allennlp.data.data_loaders import multitask_epoch_sampler, multitask_scheduler

from multitask_model.data.schedulers import HomogeneousRoundRobinScheduler
from tests.helpers.loading import epoch, flat, make_loader
from tests.helpers.samplers import FirstTaskSampler
from tests.helpers.schedulers import PairScheduler


class LongestFirstScheduler(multitask_scheduler.HomogeneousRoundRobinScheduler):
    """A subclass of AllenNLP's scheduler that reads the instances."""

    def batch_instances(
        self, epoch_instances: Dict[str, Iterable[Instance]]
    ) -> Iterable[List[Instance]]:
        def longest_first(instances: Iterable[Any]) -> List[Any]:
            return sorted(instances, key=lambda instance: -len(instance["text"]))

        return super().batch_instances({t: longest_first(i) for t, i in epoch_instances.items()})


class RandomSampler(multitask_epoch_sampler.MultiTaskEpochSampler):
    """Returns random proportions, and counts its calls."""

    def __init__(self) -> None:
        self.calls = 0
        self.rng = random.Random(0)

    def get_task_proportions(self, data_loaders: Mapping[str, Sized]) -> Dict[str, float]:
        self.calls += 1
        return {task: self.rng.random() for task in data_loaders}


@pytest.mark.parametrize("num_workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_scheduler_and_a_sampler_without_our_hooks_work(num_workers: int) -> None:
    loader = make_loader(
        {"a": 3, "b": 3},
        PairScheduler(),
        sampler=FirstTaskSampler(),
        instances_per_epoch=5,
        num_workers=num_workers,
    )
    assert len(loader) == 3
    first, second = epoch(loader), epoch(loader)
    assert [len(batch) for batch in first] == [2, 2, 1]
    assert sorted(set(flat(first))) == ["a0", "a1", "a2"]
    assert Counter(flat(first) + flat(second)).most_common()[-1][1] == 3  # 10 = 3 · 3 + 1
    loader.update_from_epoch_metrics({"loss": 1.0})  # ignored by both
    with torch.no_grad():
        assert epoch(loader) == [["a0", "a1"], ["a2"], ["b0", "b1"], ["b2"]]


def test_the_schedulers_and_samplers_of_allennlp_work() -> None:
    theirs = multitask_scheduler.HomogeneousRoundRobinScheduler(2)
    uniform = multitask_epoch_sampler.UniformSampler()
    loader = make_loader({"a": 3, "b": 2}, theirs, sampler=uniform, instances_per_epoch=10)
    assert len(loader) == 6
    assert [len(batch) for batch in epoch(loader)] == [2, 2, 2, 2, 1, 1]
    loader = make_loader(
        {"a": 3}, multitask_scheduler.RoundRobinScheduler(2), sorting_keys=["text"]
    )
    assert sorted(flat(epoch(loader))) == ["a0", "a1", "a2"]


def test_a_subclass_of_a_scheduler_of_allennlp_is_given_instances() -> None:
    # The texts have 1, 2, 3, 1 and 2 tokens.
    batches = epoch(make_loader({"a": 5}, LongestFirstScheduler(2), shuffle=False))
    assert [sorted(batch) for batch in batches] == [["a1", "a2"], ["a0", "a4"], ["a3"]]


def test_a_sampler_is_called_once_per_epoch_and_the_length_fits() -> None:
    sampler = RandomSampler()
    loader = make_loader({"a": 4, "b": 4}, sampler=sampler, instances_per_epoch=6, batch_size=4)
    for number in range(1, 6):
        before = len(loader)
        iterator = iter(loader)
        next(iterator)
        within = len(loader)
        assert before == within == 1 + sum(1 for _ in iterator)
        assert sampler.calls == number


def test_a_scheduler_may_refuse_metrics() -> None:
    class RefusingScheduler(HomogeneousRoundRobinScheduler):
        def update_from_epoch_metrics(self, epoch_metrics: Mapping[str, object]) -> None:
            raise NotImplementedError

    make_loader({"a": 1}, RefusingScheduler(2)).update_from_epoch_metrics({"x": 1.0})
