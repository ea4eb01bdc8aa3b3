"""The distribution of the order of `shuffled` batches, and its source of randomness."""

import random
from collections import Counter
from typing import Any, List, Optional

import pytest
from allennlp.common import Params
from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler

from multitask_model.data.schedulers import ShuffledScheduler
from tests.helpers.schedulers import items_of


class WrongLength:
    """An iterable whose length is not its number of items."""

    def __init__(self, items: List[Any], length: int) -> None:
        self.items, self.length = items, length

    def __iter__(self) -> Any:
        return iter(self.items)

    def __len__(self) -> int:
        return self.length


def order(scheduler: Any, seed: Optional[int] = None, **counts: int) -> str:
    """The dataset of each batch, in order."""
    if seed is not None:
        scheduler.set_random(random.Random(seed))
    return "".join(batch[0][0] for batch in scheduler.batch_instances(items_of(**counts)))


def test_every_order_of_the_batches_is_equally_likely() -> None:
    scheduler = ShuffledScheduler({"a": 5, "b": 1})
    found = Counter(order(scheduler, seed, a=12, b=2) for seed in range(5000))
    # 3 batches of a and 2 of b have 10 orders. Each is expected 500 times, within 5 standard
    # deviations of 21.2.
    assert len(found) == 10
    assert all(394 <= times <= 606 for times in found.values()), found


def test_a_small_dataset_lasts_as_long_as_a_large_one() -> None:
    scheduler = ShuffledScheduler(1)
    last = [order(scheduler, seed, a=90, b=9).rindex("b") + 1 for seed in range(400)]
    # The last of 9 among 99 is at 9 * 100 / 10 on average; the mean of 400 has a standard error
    # of 0.45.
    assert sum(last) / len(last) == pytest.approx(90, abs=2.5)


def test_datasets_without_a_length_are_equally_likely() -> None:
    scheduler = ShuffledScheduler(1)
    first = []
    for seed in range(2000):
        scheduler.set_random(random.Random(seed))
        items: Any = {task: iter(of_task) for task, of_task in items_of(a=9, b=1).items()}
        ((task, _),) = next(iter(scheduler.batch_instances(items)))
        first.append(task)
    # Half of 2000, within 5 standard deviations of 22.4.
    assert 888 <= first.count("a") <= 1112


@pytest.mark.parametrize("length", [0, 1, 3, 50])
def test_a_wrong_length_drops_no_items(length: int) -> None:
    items = items_of(a=7, b=4)
    scheduler = ShuffledScheduler(2)
    given: Any = {"a": WrongLength(items["a"], length), "b": items["b"]}
    batches = list(scheduler.batch_instances(given))
    assert sorted(item for batch in batches for item in batch) == items["a"] + items["b"]


def test_the_order_depends_on_the_given_generator_only() -> None:
    scheduler = ShuffledScheduler(1)
    before = random.getstate()
    orders = [order(scheduler, seed, a=20, b=20) for seed in (1, 2, 1)]
    assert random.getstate() == before
    assert orders[0] == orders[2] != orders[1]


def test_the_order_differs_between_epochs_with_the_same_generator() -> None:
    scheduler = ShuffledScheduler(1)
    scheduler.set_random(random.Random(3))
    assert order(scheduler, a=20, b=20) != order(scheduler, a=20, b=20)


def test_without_a_generator_the_order_depends_on_the_seed_of_python() -> None:
    orders = []
    for seed in 5, 6, 5:
        random.seed(seed)
        orders.append(order(ShuffledScheduler(1), a=20, b=20))
    assert orders[0] == orders[2] != orders[1]


def test_it_is_the_scheduler_of_a_config_without_a_type() -> None:
    scheduler = MultiTaskScheduler.from_params(Params({"batch_size": {"a": 2}}))
    assert isinstance(scheduler, ShuffledScheduler)
    assert (scheduler.batch_size, scheduler.drop_last) == ({"a": 2}, False)
