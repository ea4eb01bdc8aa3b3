"""The loader with samplers and schedulers written for AllenNLP's, and in unlikely states."""

import copy
import random
from typing import Any, Dict, Iterable, List

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance
from allennlp.data.data_loaders import multitask_epoch_sampler, multitask_scheduler

from multitask_model.data.samplers.dynamic import DynamicSampler
from multitask_model.data.samplers.weighted import WeightedSampler
from multitask_model.data.schedulers import HomogeneousRoundRobinScheduler
from tests.helpers.loading import epoch, every, flat, make_loader


class LongestFirst(multitask_scheduler.HomogeneousRoundRobinScheduler):
    def batch_instances(
        self, epoch_instances: Dict[str, Iterable[Instance]]
    ) -> Iterable[List[Instance]]:
        def longest_first(instances: Iterable[Any]) -> List[Any]:
            return sorted(instances, key=lambda instance: -len(instance["text"]))

        return super().batch_instances({t: longest_first(i) for t, i in epoch_instances.items()})


class Counting(multitask_epoch_sampler.MultiTaskEpochSampler):
    """Draws shares at random, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.rng = random.Random(0)

    def get_task_proportions(self, data_loaders: Any) -> Dict[str, float]:
        self.asked += 1
        return {task: self.rng.random() for task in data_loaders}


def test_a_scheduler_made_from_allennlps_gets_instances() -> None:
    # Texts of 1, 2, 3, 1 and 2 tokens.
    batches = epoch(make_loader({"a": 5}, LongestFirst(2), shuffle=False))
    assert [sorted(batch) for batch in batches] == [["a1", "a2"], ["a0", "a4"], ["a3"]]


def test_a_sampler_is_asked_once_an_epoch_and_the_length_fits() -> None:
    sampler = Counting()
    loader = make_loader({"a": 4, "b": 4}, sampler=sampler, instances_per_epoch=6, batch_size=4)
    for number in range(1, 6):
        before = len(loader)
        iterator = iter(loader)
        next(iterator)
        within = len(loader)
        assert before == within == 1 + sum(1 for _ in iterator)
        assert sampler.asked == number


def test_metrics_change_the_shares_that_were_already_asked_for() -> None:
    sampler = DynamicSampler({"a": "+x", "b": "+y", "c": "+z"}, {"a": 1.0, "b": 1.0, "c": 1.0})
    sizes = {"a": 9, "b": 9, "c": 9}
    loader = make_loader(sizes, sampler=sampler, instances_per_epoch=9)
    epoch(loader)
    loader.update_from_epoch_metrics({"x": 1.0, "y": 1.0, "z": 1.0})
    len(loader)
    loader.update_from_epoch_metrics({"x": 1.0, "y": 1.0, "z": 0.0})
    names = flat(epoch(loader))
    assert sum(name.startswith("c") for name in names) > 6


def test_a_scheduler_that_does_not_go_by_metrics_is_left_alone() -> None:
    class Refusing(HomogeneousRoundRobinScheduler):
        def update_from_epoch_metrics(self, epoch_metrics: Any) -> None:
            raise NotImplementedError

    make_loader({"a": 1}, Refusing(2)).update_from_epoch_metrics({"x": 1.0})


def test_a_split_for_validation_needs_nothing_of_the_sampler() -> None:
    sampler = WeightedSampler({"a": 1.0, "b": 0.0})
    loader = make_loader({"b": 4}, sampler=sampler, instances_per_epoch=2)
    with torch.no_grad():
        assert sorted(flat(epoch(loader))) == every({"b": 4})


def test_evaluation_drops_nothing() -> None:
    scheduler = HomogeneousRoundRobinScheduler(3, drop_last=True)
    loader = make_loader({"a": 7}, scheduler)
    with torch.no_grad():
        assert len(loader) == 3
        assert sorted(flat(epoch(loader))) == every({"a": 7})
    assert len(epoch(loader)) == len(loader) == 2
    assert scheduler.drop_last


def test_the_order_of_tasks_is_another_one_in_each_epoch() -> None:
    loader = make_loader({"a": 20, "b": 20}, batch_size=1)
    orders = {tuple(name[0] for name in flat(epoch(loader))) for _ in range(3)}
    assert len(orders) == 3


def test_buckets_differ_with_the_seed() -> None:
    def lengths(seed: int) -> List[str]:
        loader = make_loader({"a": 40}, seed=seed, sorting_keys=["text"], padding_noise=0.0)
        return [name for batch in epoch(loader) for name in sorted(batch)]

    assert lengths(1) == lengths(1)
    assert lengths(1) != lengths(2)


def test_a_loader_in_the_middle_of_a_lazily_read_dataset_can_be_copied() -> None:
    options: Dict[str, Any] = {"instances_per_epoch": 3, "max_instances_in_memory": 2}
    loader = make_loader({"a": 7}, sampler=Counting(), shuffle=False, **options)
    assert flat(epoch(loader)) == ["a0", "a1", "a2"]
    other = copy.deepcopy(loader)
    assert flat(epoch(other)) == flat(epoch(loader)) == ["a3", "a4", "a5"]


def test_start_methods_are_handed_on() -> None:
    options: Dict[str, Any] = {"num_workers": {"a": 1}, "start_method": {"a": "spawn"}}
    # Lazy, so that no process is started yet.
    loader = make_loader({"a": 2, "b": 2}, max_instances_in_memory=2, **options)
    assert loader._workers.start_method == "spawn"
    assert loader._loaders["a"]._loader.start_method == "spawn"


def test_a_field_to_bucket_by_that_no_task_has() -> None:
    with pytest.raises(ConfigurationError) as error:
        make_loader({"a": 2}, sorting_keys=["text", "txet"])
    assert str(error.value) == (
        "sorting_keys must name fields of the instances, but got 'txet'. Did you mean 'text'? "
        "Known "
        "names: ['label', 'number', 'task', 'text']."
    )
