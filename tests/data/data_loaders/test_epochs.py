"""The instances in an epoch: each exactly once, or exactly in the sampler's proportions."""

from collections import Counter
from typing import Dict, List, Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multitask_model.data.samplers import DynamicSampler
from tests.helpers.loading import epoch, every, flat, make_loader
from tests.helpers.samplers import SAMPLER_PARAMS, TASKS, default_sampler, make_sampler
from tests.helpers.schedulers import SCHEDULERS, make_scheduler

SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=3).map(lambda n: dict(zip(TASKS, n)))


@settings(deadline=None, max_examples=60)
@given(
    sizes=SIZES,
    name=st.sampled_from(SCHEDULERS),
    batch_size=st.integers(1, 5),
    drop_last=st.booleans(),
    bucket=st.booleans(),
)
def test_every_instance_is_served_once(
    sizes: Dict[str, int], name: str, batch_size: int, drop_last: bool, bucket: bool
) -> None:
    scheduler = make_scheduler(name, batch_size, drop_last)
    loader = make_loader(sizes, scheduler, sorting_keys=["text"] if bucket else None)
    for _ in range(2):
        expected = len(loader)
        batches = epoch(loader)
        assert len(batches) == expected > 0
        served = sorted(flat(batches))
        if drop_last:
            assert len(set(served)) == len(served)
            assert set(served) <= set(every(sizes))
            if name != "roundrobin":
                assert {instance[0] for instance in served} == set(sizes)  # no task is dropped
        else:
            assert served == every(sizes)


@settings(deadline=None, max_examples=60)
@given(
    sizes=SIZES,
    sampler_name=st.sampled_from(sorted(SAMPLER_PARAMS)),
    scheduler_name=st.sampled_from(SCHEDULERS),
    per_epoch=st.integers(1, 20),
    number=st.integers(1, 5),
    bucket=st.booleans(),
)
def test_every_task_is_served_in_its_proportion(
    sizes: Dict[str, int],
    sampler_name: str,
    scheduler_name: str,
    per_epoch: int,
    number: int,
    bucket: bool,
) -> None:
    sampler = default_sampler(sampler_name)
    loader = make_loader(
        sizes,
        make_scheduler(scheduler_name, 3),
        sampler=sampler,
        instances_per_epoch=per_epoch,
        sorting_keys=["text"] if bucket else None,
    )
    exact: Dict[str, float] = dict.fromkeys(sizes, 0.0)
    served: List[str] = []
    for i in range(number):
        expected = len(loader)
        batches = epoch(loader)
        assert len(batches) == expected
        assert len(flat(batches)) == per_epoch
        served += flat(batches)
        for task, proportion in sampler.get_task_proportions(loader.datasets).items():
            exact[task] += proportion * per_epoch
        loader.update_from_epoch_metrics({f"{task}_accuracy": 0.1 * i for task in TASKS})
    counts = Counter(served)
    for task, size in sizes.items():
        of_task = [counts[f"{task}{i}"] for i in range(size)]
        assert abs(sum(of_task) - exact[task]) < 1 + 1e-6
        assert max(of_task) - min(of_task) <= 1  # no instance is repeated before all were served


@settings(deadline=None, max_examples=25)
@given(
    sizes=SIZES,
    name=st.sampled_from(SCHEDULERS),
    in_memory=st.integers(1, 5),
    per_epoch=st.one_of(st.none(), st.integers(1, 20)),
    bucket=st.booleans(),
)
def test_lazily_read_datasets_are_served_in_the_same_way(
    sizes: Dict[str, int], name: str, in_memory: int, per_epoch: Optional[int], bucket: bool
) -> None:
    loader = make_loader(
        sizes,
        make_scheduler(name, 3),
        sampler=default_sampler("uniform") if per_epoch else None,
        instances_per_epoch=per_epoch,
        max_instances_in_memory=in_memory,
        sorting_keys=["text"] if bucket else None,
    )
    if per_epoch is None:
        with pytest.raises(TypeError):
            len(loader)
        for _ in range(2):
            assert sorted(flat(epoch(loader))) == every(sizes)
        return
    served = []
    for _ in range(4):
        expected = len(loader)
        batches = epoch(loader)
        assert len(batches) == expected
        assert len(flat(batches)) == per_epoch
        served += flat(batches)
    for task, size in sizes.items():
        of_task = [Counter(served)[f"{task}{i}"] for i in range(size)]
        assert max(of_task) - min(of_task) <= 1


def test_a_dataset_due_less_than_one_instance_per_epoch_is_served_eventually() -> None:
    sampler = make_sampler("weighted", weights={"a": 39, "b": 1})
    loader = make_loader({"a": 8, "b": 2}, sampler=sampler, instances_per_epoch=10)
    served = [flat(epoch(loader)) for _ in range(8)]
    assert all(len(of_epoch) == 10 for of_epoch in served)
    assert sorted(name for name in flat(served) if name[0] == "b") == ["b0", "b1"]


def test_new_metrics_refresh_proportions_that_were_already_computed() -> None:
    sampler = DynamicSampler({"a": "+x", "b": "+y", "c": "+z"}, {"a": 1.0, "b": 1.0, "c": 1.0})
    sizes = {"a": 9, "b": 9, "c": 9}
    loader = make_loader(sizes, sampler=sampler, instances_per_epoch=9)
    epoch(loader)
    loader.update_from_epoch_metrics({"x": 1.0, "y": 1.0, "z": 1.0})
    len(loader)
    loader.update_from_epoch_metrics({"x": 1.0, "y": 1.0, "z": 0.0})
    names = flat(epoch(loader))
    assert sum(name.startswith("c") for name in names) > 6
