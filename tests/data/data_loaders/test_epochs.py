"""What comes in an epoch: every instance exactly once, or exactly its share, from a seed."""

import random
from collections import Counter
from typing import Any, Dict, Iterable, List

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance
from allennlp.data.data_loaders import multitask_epoch_sampler, multitask_scheduler
from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler
from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.loading import epoch, every, flat, make_loader

TASKS = ["a", "b", "c"]
SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=3).map(lambda n: dict(zip(TASKS, n)))
SCHEDULERS = ["roundrobin", "homogeneous_roundrobin", "shuffled"]
SAMPLERS: Dict[str, Dict[str, Any]] = {
    "uniform": {},
    "weighted": {"weights": {"a": 1, "b": 5, "c": 0.3}},
    "proportional": {},
    "temperature": {"temperature": 3.0},
    "annealed": {"num_epochs": 3},
    "dynamic": {"metrics": {task: f"+{task}_accuracy" for task in TASKS}},
}


def scheduler(name: str, batch_size: int, drop_last: bool = False) -> MultiTaskScheduler:
    return MultiTaskScheduler.from_params(
        Params({"type": name, "batch_size": batch_size, "drop_last": drop_last})
    )


def sampler(name: str) -> MultiTaskEpochSampler:
    return MultiTaskEpochSampler.from_params(Params({"type": name, **SAMPLERS[name]}))


class Halving(MultiTaskScheduler):
    """One of a user's own, which knows nothing of ours, and looks at what it puts together."""

    def batch_instances(self, epoch_instances: Any) -> Iterable[List[Instance]]:
        for instances in epoch_instances.values():
            batch = []
            for instance in instances:
                assert isinstance(instance, Instance)
                batch.append(instance)
                if len(batch) == 2:
                    yield batch
                    batch = []
            if batch:
                yield batch

    def count_batches(self, dataset_counts: Dict[str, int]) -> int:
        return sum((count + 1) // 2 for count in dataset_counts.values())


class FirstOnly(MultiTaskEpochSampler):
    """One of a user's own, which leaves tasks out."""

    def get_task_proportions(self, data_loaders: Any) -> Dict[str, float]:
        return {next(iter(data_loaders)): 3.0}


# --- exactly once, or exactly its share


@settings(deadline=None, max_examples=60)
@given(
    sizes=SIZES,
    name=st.sampled_from(SCHEDULERS),
    batch_size=st.integers(1, 5),
    drop_last=st.booleans(),
    bucket=st.booleans(),
)
def test_every_instance_once(
    sizes: Dict[str, int], name: str, batch_size: int, drop_last: bool, bucket: bool
) -> None:
    loader = make_loader(
        sizes, scheduler(name, batch_size, drop_last), sorting_keys=["text"] if bucket else None
    )
    for _ in range(2):
        expected = len(loader)
        batches = epoch(loader)
        assert len(batches) == expected > 0
        served = sorted(flat(batches))
        if drop_last:
            assert len(set(served)) == len(served)
            assert set(served) <= set(every(sizes))
            if name != "roundrobin":
                assert {instance[0] for instance in served} == set(sizes)  # none is erased
        else:
            assert served == every(sizes)


@settings(deadline=None, max_examples=60)
@given(
    sizes=SIZES,
    which=st.sampled_from(sorted(SAMPLERS)),
    name=st.sampled_from(SCHEDULERS),
    per_epoch=st.integers(1, 20),
    number=st.integers(1, 5),
    bucket=st.booleans(),
)
def test_exactly_the_share(
    sizes: Dict[str, int], which: str, name: str, per_epoch: int, number: int, bucket: bool
) -> None:
    chosen = sampler(which)
    loader = make_loader(
        sizes,
        scheduler(name, 3),
        sampler=chosen,
        instances_per_epoch=per_epoch,
        sorting_keys=["text"] if bucket else None,
    )
    due: Dict[str, float] = dict.fromkeys(sizes, 0.0)
    served: List[str] = []
    for i in range(number):
        expected = len(loader)
        batches = epoch(loader)
        assert len(batches) == expected
        assert len(flat(batches)) == per_epoch
        served += flat(batches)
        for task, share in chosen.get_task_proportions(loader._loaders).items():
            due[task] += share * per_epoch
        loader.update_from_epoch_metrics({f"{task}_accuracy": 0.1 * i for task in TASKS})
    counts = Counter(served)
    for task, size in sizes.items():
        had = [counts[f"{task}{i}"] for i in range(size)]
        assert abs(sum(had) - due[task]) < 1 + 1e-6
        assert max(had) - min(had) <= 1  # no instance comes again before all others came


@settings(deadline=None, max_examples=25)
@given(
    sizes=SIZES,
    name=st.sampled_from(SCHEDULERS),
    pool=st.integers(1, 5),
    per_epoch=st.one_of(st.none(), st.integers(1, 20)),
    bucket=st.booleans(),
)
def test_lazily_read_datasets(
    sizes: Dict[str, int], name: str, pool: int, per_epoch: Any, bucket: bool
) -> None:
    loader = make_loader(
        sizes,
        scheduler(name, 3),
        sampler=sampler("uniform") if per_epoch else None,
        instances_per_epoch=per_epoch,
        max_instances_in_memory=pool,
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
        had = [Counter(served)[f"{task}{i}"] for i in range(size)]
        assert max(had) - min(had) <= 1


def test_a_dataset_that_is_due_less_than_an_instance_has_its_turn() -> None:
    weights = {"type": "weighted", "weights": {"a": 39, "b": 1}}
    chosen = MultiTaskEpochSampler.from_params(Params(weights))
    loader = make_loader({"a": 8, "b": 2}, sampler=chosen, instances_per_epoch=10)
    served = [flat(epoch(loader)) for _ in range(8)]
    assert all(len(of_epoch) == 10 for of_epoch in served)
    assert sorted(name for name in flat(served) if name[0] == "b") == ["b0", "b1"]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_scheduler_and_a_sampler_of_a_users_own(workers: int) -> None:
    loader = make_loader(
        {"a": 3, "b": 3}, Halving(), sampler=FirstOnly(), instances_per_epoch=5, num_workers=workers
    )
    assert len(loader) == 3
    first, second = epoch(loader), epoch(loader)
    assert [len(batch) for batch in first] == [2, 2, 1]
    assert sorted(set(flat(first))) == ["a0", "a1", "a2"]
    assert Counter(flat(first) + flat(second)).most_common()[-1][1] == 3  # 10 = 3 · 3 + 1
    loader.update_from_epoch_metrics({"loss": 1.0})  # neither has a use for it
    with torch.no_grad():
        assert epoch(loader) == [["a0", "a1"], ["a2"], ["b0", "b1"], ["b2"]]


def test_schedulers_of_allennlps_own() -> None:
    theirs = multitask_scheduler.HomogeneousRoundRobinScheduler(2)
    uniform = multitask_epoch_sampler.UniformSampler()
    loader = make_loader({"a": 3, "b": 2}, theirs, sampler=uniform, instances_per_epoch=10)
    assert len(loader) == 6
    assert [len(batch) for batch in epoch(loader)] == [2, 2, 2, 2, 1, 1]
    loader = make_loader(
        {"a": 3}, multitask_scheduler.RoundRobinScheduler(2), sorting_keys=["text"]
    )
    assert sorted(flat(epoch(loader))) == ["a0", "a1", "a2"]


# --- the seed


@pytest.mark.parametrize("lazy", [None, 4])
@pytest.mark.parametrize("name", SCHEDULERS)
def test_epochs_differ_and_repeat_from_a_seed(name: str, lazy: Any) -> None:
    def epochs(seed: int) -> List[List[List[str]]]:
        loader = make_loader(
            {"a": 12, "b": 5}, scheduler(name, 3), seed=seed, max_instances_in_memory=lazy
        )
        return [epoch(loader) for _ in range(3)]

    first = epochs(seed=1)
    assert first[0] != first[1] != first[2] != first[0]
    assert epochs(seed=1) == first
    assert epochs(seed=2)[0] != first[0]


def test_the_two_datasets_are_shuffled_each_in_its_own_way() -> None:
    loader = make_loader({"a": 20, "b": 20}, scheduler("roundrobin", 2))
    assert any(first[1:] != second[1:] for first, second in epoch(loader))


@pytest.mark.parametrize("workers", [0, 1])
def test_an_epoch_uses_up_no_random_numbers_of_others(workers: int) -> None:
    loader = make_loader({"a": 9, "b": 5}, sorting_keys=["text"], num_workers=workers)
    python, pytorch = random.getstate(), torch.get_rng_state()
    for i in range(2):
        epoch(loader)
        random.seed(i)  # and none of them decides what comes
        torch.manual_seed(i)
        random.setstate(python)
        torch.set_rng_state(pytorch)
    epoch(loader)
    assert random.getstate() == python
    assert torch.equal(torch.get_rng_state(), pytorch)


# --- shuffled or not, training and evaluation


def test_unshuffled_if_asked() -> None:
    loader = make_loader({"a": 4, "b": 2}, scheduler("roundrobin", 3), shuffle=False)
    for _ in range(2):
        assert epoch(loader) == [["a0", "b0", "a1"], ["b1", "a2", "a3"]]


def test_evaluation_has_everything_in_order_every_time() -> None:
    loader = make_loader(
        {"a": 4, "b": 2},
        scheduler("homogeneous_roundrobin", 3),
        sampler=sampler("uniform"),
        instances_per_epoch=2,
    )
    twin = make_loader(
        {"a": 4, "b": 2},
        scheduler("homogeneous_roundrobin", 3),
        sampler=sampler("uniform"),
        instances_per_epoch=2,
    )
    for _ in range(3):
        with torch.no_grad():
            assert len(loader) == 3
            assert epoch(loader) == [["a0", "a1", "a2"], ["b0", "b1"], ["a3"]]
        assert len(loader) == 2
        assert epoch(loader) == epoch(twin)  # training goes on as if nothing had been


def test_evaluation_is_shuffled_if_asked() -> None:
    loader = make_loader({"a": 30}, shuffle=True)
    with torch.no_grad():
        first, second = flat(epoch(loader)), flat(epoch(loader))
    assert sorted(first) == sorted(second) == every({"a": 30})
    assert first != second
    assert first != every({"a": 30})


def test_evaluation_comes_in_the_same_batches_whatever_the_scheduler_draws() -> None:
    loader = make_loader({"a": 9, "b": 9}, scheduler("shuffled", 2))
    with torch.no_grad():
        first = epoch(loader)
        assert epoch(loader) == first
    assert [name for name in flat(first) if name[0] == "a"] == [f"a{i}" for i in range(9)]


# --- the length


def test_the_length_is_that_of_the_epoch_under_way() -> None:
    # Due are 4/3 and 8/3, so it is 1 and 3, in three batches, or 2 and 2, in two.
    weights = {"type": "weighted", "weights": {"a": 1, "b": 2}}
    loader = make_loader(
        {"a": 9, "b": 9},
        scheduler("homogeneous_roundrobin", 2),
        sampler=MultiTaskEpochSampler.from_params(Params(weights)),
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
    loader, twin = (make_loader({"a": 9}) for _ in range(2))
    next(iter(loader))
    epoch(twin)
    assert epoch(loader) == epoch(twin)


def test_no_task_is_at_the_end_alone() -> None:
    loader = make_loader({"large": 90, "small": 9}, batch_size=3)
    last = [max(i for i, b in enumerate(epoch(loader)) if b[0][0] == "s") for _ in range(20)]
    # With turns, the last of the small one's 3 batches of 33 would be number 5, every time.
    assert sum(last) / len(last) > 20


# --- the state


@pytest.mark.parametrize("lazy", [None, 3])
def test_another_loader_goes_on_from_the_state(lazy: Any) -> None:
    def make(seed: int) -> Any:
        return make_loader(
            {"a": 7, "b": 4},
            seed=seed,
            sampler=sampler("dynamic"),
            instances_per_epoch=5,
            max_instances_in_memory=lazy,
        )

    unbroken, resumed = make(1), make(2)
    for i in range(3):
        state = unbroken.state_dict()
        batches = iter(unbroken)
        first = next(batches)
        assert unbroken.state_dict() == state  # an epoch that is under way is done again
        expected = [first["number"], *(batch["number"] for batch in batches)]
        assert unbroken.state_dict() != state
        metrics = {"a_accuracy": 0.1 * i, "b_accuracy": 0.5, "c_accuracy": 0.0}
        unbroken.update_from_epoch_metrics(metrics)
        resumed.load_state_dict(state)
        assert [batch["number"] for batch in resumed] == expected
        # And it did not write in what it was given.
        resumed.load_state_dict(state)
        assert [batch["number"] for batch in resumed] == expected


def test_going_through_what_was_done() -> None:
    unbroken, resumed = make_loader({"a": 7}, seed=1), make_loader({"a": 7}, seed=2)
    epoch(unbroken)
    next(iter(unbroken))
    state = unbroken.state_dict()
    third = epoch(unbroken)
    resumed.load_state_dict(state, go_through=1)
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
    assert epoch(resumed) == epoch(unbroken)


def test_a_state_of_other_datasets() -> None:
    state = make_loader({"a": 1, "b": 1}).state_dict()
    with pytest.raises(ConfigurationError) as error:
        make_loader({"a": 1}).load_state_dict(state)
    assert str(error.value) == (
        "To go on from a checkpoint, the loader must have the datasets that it had, but these were "
        "['a', 'b'] and now are ['a']. Correct the data path, or begin a new run."
    )
