"""What samplers refuse, and in what words."""

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
from tests.helpers.samplers import Lazy, loaders_of, make_sampler

NAN, INFINITE = float("nan"), float("inf")
METRICS = {"a": "+a_accuracy", "b": "-b_loss"}


@pytest.mark.parametrize("weight", [-1.0, NAN, INFINITE, True, "1"])
def test_a_weight_that_cannot_be_one(weight: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        WeightedSampler({"a": 1.0, "b": weight})
    assert str(caught.value) == (
        "weights must be finite numbers of at least 0, but that of the dataset 'b' is "
        f"{weight!r}. Correct it."
    )


@pytest.mark.parametrize("temperature", [0, -1.0, NAN, INFINITE, True, "2"])
def test_a_temperature_that_cannot_be_one(temperature: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        TemperatureSampler(temperature)
    assert str(caught.value) == (
        f"temperature must be a finite number above 0, but it is {temperature!r}. 1 is "
        "'proportional', and the higher, the closer it is to 'uniform'."
    )


@pytest.mark.parametrize("num_epochs", [1, 0, -3, 2.0, True, "10"])
def test_a_number_of_epochs_that_cannot_be_one(num_epochs: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        AnnealedSampler(num_epochs)
    assert str(caught.value) == (
        "num_epochs must be a whole number of at least 2, the first and the last epoch, but it is "
        f"{num_epochs!r}. Give the number of epochs of the trainer."
    )


@pytest.mark.parametrize("metric", ["a_accuracy", "+", "-", "", None, 1])
def test_a_metric_without_a_direction(metric: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        DynamicSampler({"a": metric})
    assert str(caught.value) == (
        "The metric of the dataset 'a' must be a name with '+' before it if larger is better, or "
        f"'-' if smaller is, but it is {metric!r}. Write it as '+HEAD_accuracy'."
    )


@pytest.mark.parametrize("target", [NAN, INFINITE, True, "0.8", None])
def test_a_target_that_cannot_be_one(target: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        DynamicSampler(METRICS, targets={"a": 0.8, "b": target})
    assert str(caught.value) == (
        f"targets must be finite numbers, but that of the dataset 'b' is {target!r}. Correct it, "
        "or leave it out for the best value so far."
    )


def test_a_target_without_a_metric() -> None:
    with pytest.raises(ConfigurationError) as caught:
        DynamicSampler({"tweets": "+tweets_accuracy"}, targets={"twets": 0.8})
    assert str(caught.value) == (
        "targets must name datasets that have metrics, but got 'twets'. Did you mean 'tweets'? "
        "Known names: ['tweets']."
    )


@pytest.mark.parametrize("floor", [0, -0.1, NAN, INFINITE, True])
def test_a_floor_that_cannot_be_one(floor: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        DynamicSampler(METRICS, floor=floor)
    assert str(caught.value) == (
        f"floor must be a finite number above 0, but it is {floor!r}. The smaller, the less is "
        "left for datasets that have reached their targets."
    )


KEYED: Dict[str, Dict[str, Any]] = {
    "weighted": {"weights": {"tweets": 1, "ewt": 2}},
    "dynamic": {"metrics": {"tweets": "+tweets_accuracy", "ewt": "-ewt_loss"}},
}


@pytest.mark.parametrize("name", KEYED)
def test_a_key_for_no_dataset(name: str) -> None:
    (parameter,) = KEYED[name]
    with pytest.raises(ConfigurationError) as caught:
        make_sampler(name, **KEYED[name]).check_tasks(["twets", "ewt"])
    assert str(caught.value) == (
        f"{parameter} must name datasets, but got 'tweets'. Did you mean 'twets'? Known names: "
        "['twets', 'ewt']."
    )


@pytest.mark.parametrize("name", KEYED)
def test_a_dataset_without_a_key(name: str) -> None:
    (parameter,) = KEYED[name]
    sampler = make_sampler(name, **KEYED[name])
    text = (
        f"{parameter} must have an entry for every dataset, but it has none for 'tweet'. "
        "Did you mean 'tweets'? Its keys: ['tweets', 'ewt']. Add one."
    )
    with pytest.raises(ConfigurationError) as caught:
        sampler.check_tasks(["tweets", "ewt", "tweet"])
    assert str(caught.value) == text
    # A loader that does not check, such as AllenNLP's, gets the same error later.
    with pytest.raises(ConfigurationError) as caught:
        sampler.get_task_proportions(loaders_of(ewt=2, tweet=3))
    assert str(caught.value) == text


@pytest.mark.parametrize("name", KEYED)
def test_a_loader_may_have_some_of_the_known_datasets(name: str) -> None:
    sampler = make_sampler(name, **KEYED[name])
    sampler.check_tasks(["ewt"], known=["tweets", "ewt"])
    assert sampler.get_task_proportions(loaders_of(ewt=2)) == {"ewt": 1.0}


def test_weights_of_zero_alone() -> None:
    sampler = WeightedSampler({"a": 0, "b": 0.0, "c": 1})
    with pytest.raises(ConfigurationError) as caught:
        sampler.check_tasks(["a", "b"], known=["a", "b", "c"])
    assert str(caught.value) == (
        "weights must be above 0 for at least one dataset, but those of ['a', 'b'] are all 0. "
        "Raise one."
    )


BY_SIZE = ["proportional", "temperature", "annealed"]


@pytest.mark.parametrize("name", BY_SIZE)
def test_a_dataset_without_a_length(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make_sampler(name).get_task_proportions({"a": range(3), "b": Lazy()})
    assert str(caught.value) == (
        f"The sampler {name!r} must know the size of every dataset, but 'b' has none, as it is "
        "read lazily. Leave out its max_instances_in_memory, or use the sampler 'weighted' or "
        "'uniform'."
    )


@pytest.mark.parametrize("name", BY_SIZE)
def test_an_empty_dataset(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make_sampler(name).get_task_proportions(loaders_of(a=3, b=0))
    assert str(caught.value) == (
        f"The sampler {name!r} must have instances of every dataset, but 'b' is empty. Correct its "
        "data_path, or leave the dataset out."
    )


@pytest.mark.parametrize("name", ["uniform", "weighted", "dynamic"])
def test_samplers_that_do_not_go_by_size_take_datasets_without_a_length(name: str) -> None:
    params: Dict[str, Any] = {"weighted": {"weights": {"a": 1, "b": 1}}}
    params.update(uniform={}, dynamic={"metrics": METRICS})
    sampler = make_sampler(name, **params[name])
    assert sampler.get_task_proportions({"a": Lazy(), "b": Lazy()}) == {"a": 0.5, "b": 0.5}


def test_numbers_of_numpy_are_numbers() -> None:
    sampler = WeightedSampler({"a": numpy.float32(3.0), "b": numpy.int64(1)})  # type: ignore
    assert sampler.get_task_proportions(loaders_of(a=1, b=1)) == {"a": 0.75, "b": 0.25}


def test_later_changes_to_the_given_weights_do_not_count() -> None:
    weights = {"a": 3.0, "b": 1.0}
    sampler = WeightedSampler(weights)
    weights["b"] = 3.0
    assert sampler.get_task_proportions(loaders_of(a=1, b=1)) == {"a": 0.75, "b": 0.25}
