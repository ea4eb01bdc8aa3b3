"""The batches of every scheduler: a table written by hand, and properties of all schedulers."""

import itertools
import random
from collections import Counter
from typing import Any, Dict, List, NamedTuple

import pytest
from allennlp.data.data_loaders import multitask_scheduler as allennlp_schedulers
from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler
from hypothesis import given, settings
from hypothesis import strategies as st

from multitask_model.data.schedulers import Scheduler
from tests.helpers.schedulers import items_of, make_scheduler, spelled

TASKS = "abcd"


class Row(NamedTuple):
    type: str
    batch_size: Any
    drop_last: bool
    counts: Dict[str, int]
    expected: str


ROWS: List[Row] = [
    # One of each in turn, cut every 4 items; then a only.
    Row("roundrobin", 4, False, {"a": 5, "b": 2}, "a0 b0 a1 b1 | a2 a3 a4"),
    Row("roundrobin", 4, True, {"a": 5, "b": 2}, "a0 b0 a1 b1"),
    # The only batch of the epoch is kept.
    Row("roundrobin", 4, True, {"a": 2, "b": 1}, "a0 b0 a1"),
    Row("homogeneous_roundrobin", 2, False, {"a": 5, "b": 2}, "a0 a1 | b0 b1 | a2 a3 | a4"),
    Row("homogeneous_roundrobin", 2, True, {"a": 5, "b": 2}, "a0 a1 | b0 b1 | a2 a3"),
    # The only batch of a dataset is kept.
    Row("homogeneous_roundrobin", 3, True, {"a": 5, "b": 2}, "a0 a1 a2 | b0 b1"),
    Row(
        "homogeneous_roundrobin",
        {"b": 1, "a": 4},
        False,
        {"a": 5, "b": 3},
        "a0 a1 a2 a3 | b0 | a4 | b1 | b2",
    ),
    # The batches of one dataset are not shuffled.
    Row("shuffled", 2, False, {"a": 5}, "a0 a1 | a2 a3 | a4"),
    Row("shuffled", 2, True, {"a": 5}, "a0 a1 | a2 a3"),
    Row("shuffled", 8, True, {"a": 5}, "a0 a1 a2 a3 a4"),
    Row("shuffled", {"a": 3, "b": 2}, True, {"a": 2, "b": 0}, "a0 a1"),
]


def our_types() -> List[str]:
    """The type names of the schedulers in this library."""
    available = MultiTaskScheduler.list_available()
    modules = {name: MultiTaskScheduler.by_name(name).__module__ for name in available}
    return sorted(name for name in modules if modules[name].startswith("multitask_model."))


HOMOGENEOUS = [name for name in our_types() if name != "roundrobin"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.type}: {row.expected}")
def test_batches_are_those_of_the_table(row: Row) -> None:
    scheduler = make_scheduler(row.type, row.batch_size, row.drop_last)
    scheduler.check_tasks(list(row.counts))
    assert spelled(scheduler.batch_instances(items_of(**row.counts))) == row.expected
    assert scheduler.count_batches(row.counts) == len(row.expected.split(" | "))


def test_the_table_has_every_scheduler() -> None:
    assert our_types() == sorted({row.type for row in ROWS})


def test_every_type_of_allennlp_is_replaced_and_shuffled_is_the_default() -> None:
    assert set(MultiTaskScheduler.list_available()) == set(our_types())
    for name in our_types():
        found: Any = MultiTaskScheduler.by_name(name)
        assert issubclass(found, Scheduler)
    assert MultiTaskScheduler.default_implementation == "shuffled"


counts_of_tasks = st.dictionaries(st.sampled_from(TASKS), st.integers(0, 25))
batch_sizes = st.integers(1, 9)
sizes_of_tasks = st.fixed_dictionaries(dict.fromkeys(TASKS, batch_sizes))


def served(scheduler: Any, counts: Dict[str, int], has_length: bool = True) -> List[List[Any]]:
    """All batches of an epoch, with checks of their number and sizes."""
    items: Dict[str, Any] = items_of(**counts)
    if not has_length:
        items = {task: iter(of_task) for task, of_task in items.items()}
    batches = list(scheduler.batch_instances(items))
    assert len(batches) == scheduler.count_batches(counts)
    for batch in batches:
        assert batch
        for task, of_task in Counter(task for task, _ in batch).items():
            assert of_task <= scheduler.batch_size_of(task)
    return batches


def numbers_of(batches: List[List[Any]]) -> Dict[str, List[int]]:
    """The numbers of each dataset's items, in the order in which they are served."""
    found: Dict[str, List[int]] = {}
    for task, number in itertools.chain(*batches):
        found.setdefault(task, []).append(number)
    return found


@pytest.mark.parametrize("name", our_types())
@settings(deadline=None, max_examples=60)
@given(counts=counts_of_tasks, size=batch_sizes, seed=st.integers(0, 9), has_length=st.booleans())
def test_every_instance_is_served_once_and_in_the_order_of_its_dataset(
    name: str, counts: Dict[str, int], size: int, seed: int, has_length: bool
) -> None:
    scheduler = make_scheduler(name, size)
    scheduler.set_random(random.Random(seed))
    found = numbers_of(served(scheduler, counts, has_length))
    assert found == {task: list(range(count)) for task, count in counts.items() if count}


@pytest.mark.parametrize("name", HOMOGENEOUS)
@settings(deadline=None, max_examples=60)
@given(
    counts=counts_of_tasks,
    size=batch_sizes | sizes_of_tasks,
    drop_last=st.booleans(),
    has_length=st.booleans(),
)
def test_homogeneous_batches_are_full_except_the_last_of_each_dataset(
    name: str, counts: Dict[str, int], size: Any, drop_last: bool, has_length: bool
) -> None:
    scheduler = make_scheduler(name, size, drop_last)
    lengths: Dict[str, List[int]] = {}
    for batch in served(scheduler, counts, has_length):
        (task,) = {task for task, _ in batch}
        lengths.setdefault(task, []).append(len(batch))
    for task, count in counts.items():
        full, rest = divmod(count, size if isinstance(size, int) else size[task])
        tail = [rest] if rest and (full == 0 or not drop_last) else []
        assert lengths.get(task, []) == [scheduler.batch_size_of(task)] * full + tail


@settings(deadline=None, max_examples=60)
@given(counts=counts_of_tasks, size=batch_sizes, drop_last=st.booleans())
def test_mixed_batches_are_full_except_the_last_of_the_epoch(
    counts: Dict[str, int], size: int, drop_last: bool
) -> None:
    lengths = [
        len(batch) for batch in served(make_scheduler("roundrobin", size, drop_last), counts)
    ]
    full, rest = divmod(sum(counts.values()), size)
    assert lengths == [size] * full + ([rest] if rest and (full == 0 or not drop_last) else [])


@settings(deadline=None, max_examples=60)
@given(counts=counts_of_tasks, size=batch_sizes)
def test_types_of_allennlp_make_the_same_batches_as_there(
    counts: Dict[str, int], size: int
) -> None:
    for name, theirs in [
        ("roundrobin", allennlp_schedulers.RoundRobinScheduler(size)),
        ("homogeneous_roundrobin", allennlp_schedulers.HomogeneousRoundRobinScheduler(size)),
    ]:
        items: Any = items_of(**counts)
        assert served(make_scheduler(name, size), counts) == list(theirs.batch_instances(items))


@pytest.mark.parametrize("name", our_types())
def test_items_are_read_lazily(name: str) -> None:
    scheduler = make_scheduler(name, 3)
    endless = {task: zip(itertools.repeat(task), itertools.count()) for task in "ab"}
    batches = list(itertools.islice(scheduler.batch_instances(endless), 20))
    assert [len(batch) for batch in batches] == [3] * 20
    numbers = numbers_of(batches)
    assert [numbers[task] for task in "ab"] == [list(range(len(numbers[task]))) for task in "ab"]
    assert sum(map(len, numbers.values())) == 60
    assert sum(next(endless[task])[1] for task in "ab") == 60


@pytest.mark.parametrize("name", our_types())
def test_a_scheduler_serves_several_epochs_and_accepts_metrics(name: str) -> None:
    scheduler = make_scheduler(name, 2)
    for _ in range(2):
        scheduler.update_from_epoch_metrics({"validation_loss": 1.0})
        assert numbers_of(served(scheduler, {"a": 3, "b": 1})) == {"a": [0, 1, 2], "b": [0]}
