"""The counts of the datasets in an epoch, as integers."""

from typing import Any, Dict, List

import pytest
from allennlp.common.checks import ConfigurationError
from hypothesis import given, settings
from hypothesis import strategies as st

from multitask_model.data.data_loaders.apportionment import apportion, check_proportions


def epochs(total: int, proportions: Dict[str, float], number: int) -> List[Dict[str, int]]:
    """The counts of consecutive epochs."""
    carry: Dict[str, float] = {}
    found = []
    for _ in range(number):
        counts, carry = apportion(total, proportions, carry)
        found.append(counts)
    return found


def test_the_largest_remainders_are_rounded_up() -> None:
    # The exact counts are 4.7, 3.8 and 1.5, so `a` and `b` are rounded up.
    assert epochs(10, {"a": 47, "b": 38, "c": 15}, 1) == [{"a": 5, "b": 4, "c": 1}]


def test_rounding_errors_are_carried_over() -> None:
    # Each is due 10 / 3. After the first epoch, `b` and `c` carry 1/3, and `a` carries -2/3.
    assert epochs(10, {"a": 1, "b": 1, "c": 1}, 3) == [
        {"a": 4, "b": 3, "c": 3},
        {"a": 3, "b": 4, "c": 3},
        {"a": 3, "b": 3, "c": 4},
    ]


def test_a_tenth_of_an_instance_is_one_instance_in_ten_epochs() -> None:
    found = epochs(10, {"large": 99, "small": 1}, 20)
    assert [counts["small"] for counts in found].count(1) == 2
    assert {counts["small"] for counts in found} == {0, 1}
    assert sum(counts["large"] for counts in found) == 198


def test_a_proportion_of_zero_gives_no_instances() -> None:
    assert epochs(3, {"a": 1, "b": 0, "c": 1}, 2) == [
        {"a": 2, "b": 0, "c": 1},
        {"a": 1, "b": 0, "c": 2},
    ]


def test_counts_are_never_negative() -> None:
    # `a` and `c` had too many instances before and are due none now: the exact counts are negative.
    counts, carry = apportion(1, {"a": 0, "b": 1, "c": 0}, {"a": -0.5, "b": 1.0, "c": -0.5})
    assert counts == {"a": 0, "b": 1, "c": 0}
    assert carry == {"a": -0.5, "b": 1.0, "c": -0.5}


@settings(deadline=None)
@given(
    totals=st.lists(st.integers(1, 200), min_size=1, max_size=8),
    rows=st.lists(
        st.lists(st.one_of(st.just(0.0), st.floats(1e-6, 1e6)), min_size=3, max_size=3).filter(any),
        min_size=1,
        max_size=8,
    ),
)
def test_counts_sum_to_the_total_and_the_carry_stays_small(
    totals: List[int], rows: List[Any]
) -> None:
    carry: Dict[str, float] = {}
    for total, row in zip(totals, rows):
        counts, carry = apportion(total, dict(zip("abc", row)), carry)
        assert sum(counts.values()) == total
        assert all(count >= 0 for count in counts.values())
        assert sum(carry.values()) == pytest.approx(0, abs=1e-6)
        assert all(abs(error) < 2 for error in carry.values())


@settings(deadline=None)
@given(
    total=st.integers(1, 50),
    weights=st.lists(st.integers(1, 1000), min_size=1, max_size=6),
    number=st.integers(1, 30),
)
def test_each_dataset_gets_its_proportion_over_many_epochs(
    total: int, weights: List[int], number: int
) -> None:
    proportions = {str(i): float(weight) for i, weight in enumerate(weights)}
    found = epochs(total, proportions, number)
    for task, weight in proportions.items():
        exact = number * total * weight / sum(weights)
        assert abs(sum(counts[task] for counts in found) - exact) < 1 + 1e-6


def test_a_task_without_a_proportion_gets_zero() -> None:
    assert check_proportions({"b": 2}, {"a": None, "b": None}, object()) == {"a": 0.0, "b": 2.0}


def test_a_proportion_for_an_unknown_task_is_an_error() -> None:
    with pytest.raises(ConfigurationError) as error:
        check_proportions({"as": 1.0}, {"ab": None}, object())
    assert str(error.value) == (
        "get_task_proportions of object must name datasets of this loader, but got 'as'. "
        "Known names: ['ab']."
    )


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf"), 0.0])
def test_an_invalid_proportion_is_an_error(wrong: float) -> None:
    with pytest.raises(ConfigurationError) as error:
        check_proportions({"a": wrong}, {"a": None}, object())
    assert str(error.value) == (
        "get_task_proportions of object must return finite numbers of at least 0, at least one of "
        f"them above 0, but got {{'a': {wrong!r}}}. Correct the sampler."
    )
