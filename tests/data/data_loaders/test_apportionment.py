"""RowGatherer of an epoch in whole numbers."""

from typing import Any, Dict, List

import pytest
from allennlp.common.checks import ConfigurationError
from hypothesis import given, settings
from hypothesis import strategies as st

from multitask_model.data.data_loaders.apportionment import apportion, check_proportions


def epochs(total: int, proportions: Dict[str, float], number: int) -> List[Dict[str, int]]:
    owed: Dict[str, float] = {}
    found = []
    for _ in range(number):
        counts, owed = apportion(total, proportions, owed)
        found.append(counts)
    return found


def test_largest_remainders() -> None:
    # Of 10, they are due 4.7, 3.8 and 1.5: the two suggest to the next whole number get it.
    assert epochs(10, {"a": 47, "b": 38, "c": 15}, 1) == [{"a": 5, "b": 4, "c": 1}]


def test_what_is_rounded_off_is_carried_over() -> None:
    # Each is due 10 / 3; what is owed after the first is 1/3 to `b` and `c`, so it is their turn.
    assert epochs(10, {"a": 1, "b": 1, "c": 1}, 3) == [
        {"a": 4, "b": 3, "c": 3},
        {"a": 3, "b": 4, "c": 3},
        {"a": 3, "b": 3, "c": 4},
    ]


def test_a_tenth_of_an_instance_is_one_in_ten_epochs() -> None:
    found = epochs(10, {"large": 99, "small": 1}, 20)
    assert [counts["small"] for counts in found].count(1) == 2
    assert {counts["small"] for counts in found} == {0, 1}
    assert sum(counts["large"] for counts in found) == 198


def test_a_share_of_zero_stays_zero() -> None:
    assert epochs(3, {"a": 1, "b": 0, "c": 1}, 2) == [
        {"a": 2, "b": 0, "c": 1},
        {"a": 1, "b": 0, "c": 2},
    ]


def test_debts_when_proportions_change() -> None:
    # The ones who have had more than their due get nothing now, and nobody gets less than nothing.
    counts, owed = apportion(1, {"a": 0, "b": 1, "c": 0}, {"a": -0.5, "b": 1.0, "c": -0.5})
    assert counts == {"a": 0, "b": 1, "c": 0}
    assert owed == {"a": -0.5, "b": 1.0, "c": -0.5}


@settings(deadline=None)
@given(
    totals=st.lists(st.integers(1, 200), min_size=1, max_size=8),
    rows=st.lists(
        st.lists(st.one_of(st.just(0.0), st.floats(1e-6, 1e6)), min_size=3, max_size=3).filter(any),
        min_size=1,
        max_size=8,
    ),
)
def test_shares_add_up_and_the_debts_stay_small(totals: List[int], rows: List[Any]) -> None:
    owed: Dict[str, float] = {}
    for total, row in zip(totals, rows):
        counts, owed = apportion(total, dict(zip("abc", row)), owed)
        assert sum(counts.values()) == total
        assert all(count >= 0 for count in counts.values())
        assert sum(owed.values()) == pytest.approx(0, abs=1e-6)
        assert all(abs(debt) < 2 for debt in owed.values())


@settings(deadline=None)
@given(
    total=st.integers(1, 50),
    weights=st.lists(st.integers(1, 1000), min_size=1, max_size=6),
    number=st.integers(1, 30),
)
def test_over_many_epochs_each_has_its_share(total: int, weights: List[int], number: int) -> None:
    proportions = {str(i): float(weight) for i, weight in enumerate(weights)}
    found = epochs(total, proportions, number)
    for task, weight in proportions.items():
        share = number * total * weight / sum(weights)
        assert abs(sum(counts[task] for counts in found) - share) < 1 + 1e-6


def test_proportions_of_some_tasks() -> None:
    assert check_proportions({"b": 2}, {"a": None, "b": None}, object()) == {"a": 0.0, "b": 2.0}


def test_proportions_of_an_unknown_task() -> None:
    with pytest.raises(ConfigurationError) as error:
        check_proportions({"as": 1.0}, {"ab": None}, object())
    assert str(error.value) == (
        "get_task_proportions of object must name datasets of this loader, but got 'as'. "
        "Known names: ['ab']."
    )


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf"), 0.0])
def test_proportions_that_are_none(wrong: float) -> None:
    with pytest.raises(ConfigurationError) as error:
        check_proportions({"a": wrong}, {"a": None}, object())
    assert str(error.value) == (
        "get_task_proportions of object must return finite numbers of at least 0, one of them "
        f"above 0, but it returned {{'a': {wrong!r}}}. Correct the sampler."
    )
