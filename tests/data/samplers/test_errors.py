"""Errors of samplers, at construction and when they are used."""

from typing import Any, Dict

import numpy
import pytest
from allennlp.common.checks import ConfigurationError

from multitask_model.data.samplers import (
    AnnealedSampler,
    DynamicSampler,
    TemperatureSampler,
    WeightedSampler,
)
from tests.helpers.samplers import Lazy, datasets_of, make_sampler

NAN, INFINITE = float("nan"), float("inf")
METRICS = {"a": "+a_accuracy", "b": "-b_loss"}


@pytest.mark.parametrize("weight", [-1.0, NAN, INFINITE, True, "1"])
def test_an_invalid_weight_is_an_error(weight: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        WeightedSampler({"a": 1.0, "b": weight})
    assert str(caught.value) == (
        f"weights must be finite numbers of at least 0, but got {weight!r} for 'b'. Correct it."
    )


@pytest.mark.parametrize("temperature", [0, -1.0, NAN, INFINITE, True, "2"])
def test_an_invalid_temperature_is_an_error(temperature: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        TemperatureSampler(temperature)
    assert str(caught.value) == (
        f"temperature must be a finite number above 0, but got {temperature!r}. Use 1 for "
        "'proportional', or a higher value to come closer to 'uniform'."
    )


@pytest.mark.parametrize("num_epochs", [1, 0, -3, 2.0, True, "10"])
def test_an_invalid_number_of_epochs_is_an_error(num_epochs: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        AnnealedSampler(num_epochs)
    assert str(caught.value) == (
        f"num_epochs must be an integer of at least 2, but got {num_epochs!r}. Use the trainer's "
        "num_epochs."
    )


@pytest.mark.parametrize("metric", ["a_accuracy", "+", "-", "", None, 1])
def test_a_metric_without_a_direction_is_an_error(metric: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        DynamicSampler({"a": metric})
    assert str(caught.value) == (
        "The metric of the dataset 'a' must start with '+' (larger is better) or '-' (smaller is "
        f"better), but got {metric!r}. Write it as '+HEAD_accuracy'."
    )


@pytest.mark.parametrize("target", [NAN, INFINITE, True, "0.8", None])
def test_an_invalid_target_is_an_error(target: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        DynamicSampler(METRICS, targets={"a": 0.8, "b": target})
    assert str(caught.value) == (
        f"targets must be finite numbers, but got {target!r} for 'b'. Correct it, or remove it to "
        "use the best value so far."
    )


def test_a_target_without_a_metric_is_an_error() -> None:
    with pytest.raises(ConfigurationError) as caught:
        DynamicSampler({"tweets": "+tweets_accuracy"}, targets={"twets": 0.8})
    assert str(caught.value) == (
        "targets must name datasets that have metrics, but got 'twets'. Did you mean 'tweets'? "
        "Known names: ['tweets']."
    )


@pytest.mark.parametrize("floor", [0, -0.1, NAN, INFINITE, True])
def test_an_invalid_floor_is_an_error(floor: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        DynamicSampler(METRICS, floor=floor)
    assert str(caught.value) == (
        f"floor must be a finite number above 0, but got {floor!r}. A smaller floor gives less to "
        "datasets that have reached their targets."
    )


KEYED: Dict[str, Dict[str, Any]] = {
    "weighted": {"weights": {"tweets": 1, "ewt": 2}},
    "dynamic": {"metrics": {"tweets": "+tweets_accuracy", "ewt": "-ewt_loss"}},
}


@pytest.mark.parametrize("name", KEYED)
def test_a_key_for_an_unknown_dataset_is_an_error(name: str) -> None:
    (parameter,) = KEYED[name]
    with pytest.raises(ConfigurationError) as caught:
        make_sampler(name, **KEYED[name]).check_tasks(["twets", "ewt"])
    assert str(caught.value) == (
        f"{parameter} must name datasets, but got 'tweets'. Did you mean 'twets'? Known names: "
        "['twets', 'ewt']."
    )


@pytest.mark.parametrize("name", KEYED)
def test_a_dataset_without_a_key_is_an_error(name: str) -> None:
    (parameter,) = KEYED[name]
    sampler = make_sampler(name, **KEYED[name])
    text = (
        f"{parameter} must have an entry for every dataset, but has none for 'tweet'. Did you mean "
        "'tweets'? Its keys: ['tweets', 'ewt']. Add an entry."
    )
    with pytest.raises(ConfigurationError) as caught:
        sampler.check_tasks(["tweets", "ewt", "tweet"])
    assert str(caught.value) == text
    # A loader that does not call check_tasks, such as AllenNLP's, gets the same error later.
    with pytest.raises(ConfigurationError) as caught:
        sampler.get_task_proportions(datasets_of(ewt=2, tweet=3))
    assert str(caught.value) == text


@pytest.mark.parametrize("name", KEYED)
def test_a_loader_may_have_some_of_the_known_datasets(name: str) -> None:
    sampler = make_sampler(name, **KEYED[name])
    sampler.check_tasks(["ewt"], known=["tweets", "ewt"])
    assert sampler.get_task_proportions(datasets_of(ewt=2)) == {"ewt": 1.0}


def test_weights_that_are_all_zero_are_an_error() -> None:
    sampler = WeightedSampler({"a": 0, "b": 0.0, "c": 1})
    with pytest.raises(ConfigurationError) as caught:
        sampler.check_tasks(["a", "b"], known=["a", "b", "c"])
    assert str(caught.value) == (
        "weights must be above 0 for at least one dataset, but got 0 for all of ['a', 'b']. Raise "
        "at least one."
    )


BY_SIZE = ["proportional", "temperature", "annealed"]


@pytest.mark.parametrize("name", BY_SIZE)
def test_a_dataset_without_a_length_is_an_error(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make_sampler(name).get_task_proportions({"a": range(3), "b": Lazy()})
    assert str(caught.value) == (
        f"The sampler {name!r} requires the size of every dataset, but 'b' is read lazily and has "
        "none. Remove its max_instances_in_memory, or use the sampler 'weighted' or 'uniform'."
    )


@pytest.mark.parametrize("name", BY_SIZE)
def test_an_empty_dataset_is_an_error(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make_sampler(name).get_task_proportions(datasets_of(a=3, b=0))
    assert str(caught.value) == (
        f"The sampler {name!r} requires instances in every dataset, but 'b' is empty. Correct its "
        "data_path, or remove the dataset."
    )


@pytest.mark.parametrize("name", ["uniform", "weighted", "dynamic"])
def test_samplers_that_do_not_use_sizes_accept_datasets_without_a_length(name: str) -> None:
    params: Dict[str, Any] = {"weighted": {"weights": {"a": 1, "b": 1}}}
    params.update(uniform={}, dynamic={"metrics": METRICS})
    sampler = make_sampler(name, **params[name])
    assert sampler.get_task_proportions({"a": Lazy(), "b": Lazy()}) == {"a": 0.5, "b": 0.5}


def test_weights_may_be_numpy_numbers() -> None:
    sampler = WeightedSampler({"a": numpy.float32(3.0), "b": numpy.int64(1)})  # type: ignore
    assert sampler.get_task_proportions(datasets_of(a=1, b=1)) == {"a": 0.75, "b": 0.25}


def test_the_sampler_copies_its_weights() -> None:
    weights = {"a": 3.0, "b": 1.0}
    sampler = WeightedSampler(weights)
    weights["b"] = 3.0
    assert sampler.get_task_proportions(datasets_of(a=1, b=1)) == {"a": 0.75, "b": 0.25}
