"""The proportions of every sampler: a table computed by hand, and properties of all samplers."""

import json
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

import pytest
from allennlp.data.data_loaders import multitask_epoch_sampler as allennlp_samplers
from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler
from hypothesis import given, settings
from hypothesis import strategies as st

from multitask_model.data.samplers import EpochSampler
from tests.helpers.samplers import datasets_of, make_sampler

SIZES = {"a": 900, "b": 100}
DYNAMIC: Dict[str, Any] = {
    "metrics": {"a": "+a_accuracy", "b": "-b_loss"},
    "targets": {"a": 0.8},
}


class Row(NamedTuple):
    type: str
    params: Dict[str, Any]
    epoch: int
    metrics: Sequence[Tuple[float, float]]
    """The accuracy of a and the loss of b, in each epoch before it."""
    expected: Tuple[float, float]
    derivation: str


ROWS: List[Row] = [
    Row("uniform", {}, 0, [], (1 / 2, 1 / 2), "two datasets"),
    Row("weighted", {"weights": {"b": 1, "a": 3.0}}, 0, [], (3 / 4, 1 / 4), "3 : 1"),
    Row("weighted", {"weights": {"a": 0, "b": 5}}, 0, [], (0.0, 1.0), "0 : 5"),
    Row("proportional", {}, 0, [], (9 / 10, 1 / 10), "900 : 100"),
    Row("temperature", {}, 0, [], (3 / 4, 1 / 4), "square roots, 30 : 10"),
    Row("temperature", {"temperature": 1}, 0, [], (9 / 10, 1 / 10), "proportional"),
    Row("temperature", {"temperature": 0.5}, 0, [], (81 / 82, 1 / 82), "squares, 81 : 1"),
    Row("temperature", {"temperature": 1e-9}, 0, [], (1.0, 0.0), "the limit: the largest only"),
    Row("temperature", {"temperature": 1e9}, 0, [], (1 / 2, 1 / 2), "the limit: uniform"),
    Row("annealed", {"num_epochs": 3}, 0, [], (9 / 10, 1 / 10), "a = 1"),
    Row("annealed", {"num_epochs": 3}, 1, [], (3 / 4, 1 / 4), "a = 1/2, 30 : 10"),
    Row("annealed", {"num_epochs": 3}, 2, [], (1 / 2, 1 / 2), "a = 0"),
    Row("annealed", {"num_epochs": 3}, 9, [], (1 / 2, 1 / 2), "still 0"),
    Row("annealed", {}, 9, [], (1 / 2, 1 / 2), "a = 0 in the tenth"),
    Row("dynamic", DYNAMIC, 0, [], (1 / 2, 1 / 2), "no metrics yet"),
    Row("dynamic", DYNAMIC, 1, [(0.6, 1.0)], (7 / 9, 2 / 9), "gaps 0.2 / 0.8 and 0; 0.35 : 0.1"),
    Row(
        "dynamic",
        DYNAMIC,
        2,
        [(0.1, 1.0), (0.6, 1.25)],
        (7 / 13, 6 / 13),
        "gaps 0.2 / 0.8 and 0.25 / 1.25; 0.35 : 0.3",
    ),
    Row(
        "dynamic",
        DYNAMIC,
        3,
        [(0.1, 1.0), (0.1, 0.5), (0.9, 1.0)],
        (1 / 7, 6 / 7),
        "a is past its target, the best of b is 0.5: gaps 0 and 0.5; 0.1 : 0.6",
    ),
    Row(
        "dynamic",
        {"metrics": {"a": "+a_accuracy", "b": "-b_loss"}, "floor": 1.0},
        2,
        [(0.8, 2.0), (0.4, 1.0)],
        (1.5 / 2.5, 1 / 2.5),
        "a has lost half of its best, b is at its best: gaps 0.5 and 0; 1.5 : 1",
    ),
    Row("dynamic", DYNAMIC, 1, [(0.8, 1.0)], (1 / 2, 1 / 2), "no gap anywhere"),
    Row(
        "dynamic",
        {"metrics": {"a": "+a_accuracy", "b": "-b_loss"}, "targets": {"a": 0.0, "b": 0.0}},
        1,
        [(-4.0, 0.0)],
        (11 / 12, 1 / 12),
        "targets of 0, the first not reached: gaps 1 and 0; 1.1 : 0.1",
    ),
]


def our_types() -> List[str]:
    """The type names of the samplers in this library."""
    available = MultiTaskEpochSampler.list_available()
    modules = {name: MultiTaskEpochSampler.by_name(name).__module__ for name in available}
    return sorted(name for name in modules if modules[name].startswith("multitask_model."))


def proportions(row: Row, sizes: Dict[str, int]) -> Dict[str, float]:
    """The proportions in the epoch of a row, after the epochs before it."""
    sampler = make_sampler(row.type, **row.params)
    sampler.check_tasks(list(sizes))
    sampler.start_epoch(0)
    for epoch, (accuracy, loss) in enumerate(row.metrics, start=1):
        sampler.update_from_epoch_metrics(
            {"validation_a_accuracy": accuracy, "validation_b_loss": loss, "training_epochs": 1}
        )
        sampler.start_epoch(epoch)
    sampler.start_epoch(row.epoch)
    return sampler.get_task_proportions(datasets_of(**sizes))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.type}: {row.derivation}")
def test_proportions_are_those_of_the_table(row: Row) -> None:
    found = proportions(row, SIZES)
    assert found == pytest.approx(dict(zip("ab", row.expected)), rel=1e-6, abs=1e-9)
    assert sum(found.values()) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.type}: {row.derivation}")
def test_proportions_do_not_depend_on_the_order_of_the_datasets(row: Row) -> None:
    assert proportions(row, {"b": 100, "a": 900}) == pytest.approx(
        proportions(row, SIZES), rel=1e-12
    )


def test_the_table_has_every_sampler() -> None:
    assert our_types() == sorted({row.type for row in ROWS})


def test_every_type_of_allennlp_is_replaced() -> None:
    assert set(MultiTaskEpochSampler.list_available()) == set(our_types())
    for name in our_types():
        found: Any = MultiTaskEpochSampler.by_name(name)
        assert issubclass(found, EpochSampler)


@settings(deadline=None, max_examples=60)
@given(
    sizes=st.dictionaries(st.sampled_from("abcde"), st.integers(1, 10**7), min_size=1),
    weights=st.lists(st.floats(0.001, 1000), min_size=5, max_size=5),
)
def test_types_of_allennlp_have_the_same_proportions_as_there(
    sizes: Dict[str, int], weights: List[float]
) -> None:
    datasets = datasets_of(**sizes)
    given_weights = dict(zip("abcde", weights))
    for name, params in [
        ("Uniform", {}),
        ("Proportional", {}),
        ("Weighted", {"weights": given_weights}),
    ]:
        theirs: Any = getattr(allennlp_samplers, f"{name}Sampler")(**params)
        sampler = make_sampler(name.lower(), **params)
        assert sampler.get_task_proportions(datasets) == theirs.get_task_proportions(datasets)


@settings(deadline=None, max_examples=60)
@given(
    sizes=st.dictionaries(st.sampled_from("abcde"), st.integers(1, 10**12), min_size=1),
    temperature=st.floats(0.01, 100),
    epoch=st.integers(0, 12),
)
def test_proportions_by_size_sum_to_one_and_have_the_order_of_the_sizes(
    sizes: Dict[str, int], temperature: float, epoch: int
) -> None:
    datasets = datasets_of(**sizes)
    for sampler in make_sampler("temperature", temperature=temperature), make_sampler("annealed"):
        sampler.start_epoch(epoch)
        found = sampler.get_task_proportions(datasets)
        assert list(found) == list(sizes)
        assert sum(found.values()) == pytest.approx(1.0, rel=1e-9)
        ordered = [found[task] for task in sorted(sizes, key=lambda task: sizes[task])]
        assert ordered == sorted(ordered)


@pytest.mark.parametrize("name", [name for name in our_types() if name != "dynamic"])
def test_samplers_that_do_not_use_metrics_have_no_state(name: str) -> None:
    params = {"weights": {"a": 1.0}} if name == "weighted" else {}
    sampler = make_sampler(name, **params)
    sampler.update_from_epoch_metrics({})
    assert json.dumps(sampler.state_dict()) == "{}"
    sampler.load_state_dict({})
