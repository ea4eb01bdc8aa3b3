"""The `dynamic` sampler over the epochs of a training run: metrics, errors and state."""

import json
import logging
from typing import Any, Dict, List

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from hypothesis import given, settings
from hypothesis import strategies as st

from multitask_model.data.samplers.dynamic import DynamicSampler, relative_gap
from tests.helpers.samplers import datasets_of

METRICS = {"tweets": "+polarity_accuracy", "ewt": "-genre_loss"}
DATASETS = datasets_of(tweets=5, ewt=7)


def metrics_of(accuracy: Any, loss: Any, **others: Any) -> Dict[str, Any]:
    return {
        "training_polarity_accuracy": 0.99,
        "best_validation_polarity_accuracy": 0.98,
        "validation_polarity_accuracy": accuracy,
        "validation_genre_loss": loss,
        **others,
    }


def test_a_second_epoch_without_metrics_is_an_error() -> None:
    sampler = DynamicSampler(METRICS)
    sampler.start_epoch(0)
    with pytest.raises(ConfigurationError) as caught:
        sampler.start_epoch(1)
    assert str(caught.value) == (
        "The sampler 'dynamic' requires the metrics of each epoch, but got none before epoch 1. "
        'Add {"type": "multitask_data"} to the callbacks of the trainer.'
    )


def test_a_missing_metric_is_an_error() -> None:
    with pytest.raises(ConfigurationError) as caught:
        DynamicSampler({"tweets": "+polarity_acuracy"}).update_from_epoch_metrics(metrics_of(1, 1))
    assert str(caught.value) == (
        "The metric of the dataset 'tweets' must be one of the epoch's metrics, but found neither "
        "'validation_polarity_acuracy' nor 'polarity_acuracy'. Did you mean 'polarity_accuracy'? "
        "Validation metrics: ['polarity_accuracy', 'genre_loss']. Correct the name, or add "
        "validation data."
    )


def test_an_epoch_without_validation_keeps_the_proportions(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sampler = DynamicSampler(METRICS)
    with caplog.at_level(logging.WARNING):
        sampler.update_from_epoch_metrics({"training_loss": 1.0})
    assert caplog.messages == [
        "No validation metrics: the sampler 'dynamic' keeps its proportions."
    ]
    sampler.start_epoch(1)
    proportions = sampler.get_task_proportions(dict.fromkeys(METRICS, [1]))
    assert len(set(proportions.values())) == 1


@pytest.mark.parametrize("value", ["0:00:01", [0.5], None])
def test_a_metric_that_is_not_a_number_is_an_error(value: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        DynamicSampler(METRICS).update_from_epoch_metrics(metrics_of(value, 1.0))
    assert str(caught.value) == (
        f"The metric of the dataset 'tweets' must be a number, but got {value!r} for "
        "'validation_polarity_accuracy'. Choose another metric."
    )


def test_an_error_does_not_change_the_state() -> None:
    sampler = DynamicSampler(METRICS)
    sampler.update_from_epoch_metrics(metrics_of(0.5, 1.0))
    before = sampler.state_dict()
    with pytest.raises(ConfigurationError, match="must be a number"):
        sampler.update_from_epoch_metrics(metrics_of(0.9, None))
    assert sampler.state_dict() == before


def test_a_validation_metric_is_preferred_to_a_metric_with_the_same_name() -> None:
    sampler = DynamicSampler({"tweets": "+polarity_accuracy", "ewt": "-training_genre_loss"})
    epoch = {"polarity_accuracy": 0.1, "training_genre_loss": torch.tensor(2.0)}
    sampler.update_from_epoch_metrics(metrics_of(0.5, 1.0, **epoch))
    assert sampler.state_dict()["values"] == {"tweets": 0.5, "ewt": 2.0}


def test_a_metric_that_is_not_finite_is_ignored(caplog: pytest.LogCaptureFixture) -> None:
    sampler = DynamicSampler(METRICS, targets={"ewt": 1.0})
    with caplog.at_level(logging.WARNING):
        sampler.update_from_epoch_metrics(metrics_of(float("nan"), 2.0))
    assert caplog.messages == ["The metric of the dataset 'tweets' is nan and is ignored."]
    sampler.start_epoch(1)
    # Tweets have no value yet, so their gap is the largest gap of the others.
    assert sampler.get_task_proportions(DATASETS) == {"tweets": 0.5, "ewt": 0.5}
    sampler.update_from_epoch_metrics(metrics_of(0.5, float("inf")))
    # The gap of ewt is still (2 - 1) / 2, so the proportions are 0.1 : 0.6.
    expected = {"tweets": 1 / 7, "ewt": 6 / 7}
    assert sampler.get_task_proportions(DATASETS) == pytest.approx(expected)


def test_a_run_resumes_from_a_state_that_was_saved_as_json() -> None:
    epochs = [(0.5, 1.0), (0.7, 0.8), (0.6, 0.9), (0.65, 1.5)]
    uninterrupted = DynamicSampler(METRICS)
    proportions: List[Dict[str, float]] = []
    states: List[str] = []
    for epoch, values in enumerate(epochs, start=1):
        uninterrupted.update_from_epoch_metrics(metrics_of(*values))
        uninterrupted.start_epoch(epoch)
        proportions.append(uninterrupted.get_task_proportions(DATASETS))
        states.append(json.dumps(uninterrupted.state_dict()))
    resumed = DynamicSampler(METRICS)
    resumed.load_state_dict(json.loads(states[1]))
    resumed.start_epoch(2)
    assert resumed.get_task_proportions(DATASETS) == proportions[1]
    for epoch in 2, 3:
        resumed.update_from_epoch_metrics(metrics_of(*epochs[epoch]))
        resumed.start_epoch(epoch + 1)
        assert resumed.get_task_proportions(DATASETS) == proportions[epoch]
    assert proportions[3] != proportions[1]


def test_the_state_is_a_copy() -> None:
    sampler = DynamicSampler(METRICS)
    sampler.update_from_epoch_metrics(metrics_of(0.5, 1.0))
    taken = sampler.state_dict()
    sampler.update_from_epoch_metrics(metrics_of(0.7, 2.0))
    assert taken["values"] == {"tweets": 0.5, "ewt": 1.0}
    assert taken["best"] == {"tweets": 0.5, "ewt": 1.0}


numbers = st.floats(allow_nan=False, allow_infinity=False)
eighths = st.integers(-2000, 2000).map(lambda number: number / 8)


@settings(deadline=None, max_examples=200)
@given(value=eighths, target=eighths, sign=st.sampled_from([1, -1]))
def test_gaps_are_bounded_and_symmetric(value: float, target: float, sign: int) -> None:
    gap = relative_gap(value, target, sign)
    assert 0 <= gap <= (1 if value * target >= 0 else 2)
    assert (gap > 0) == (sign * value < sign * target)
    assert gap == relative_gap(-value, -target, -sign)


@settings(deadline=None, max_examples=60)
@given(
    epochs=st.lists(st.tuples(numbers, numbers), min_size=1, max_size=4),
    target=st.none() | numbers,
)
def test_every_dataset_has_a_positive_proportion(epochs: Any, target: Any) -> None:
    sampler = DynamicSampler(METRICS, targets=None if target is None else {"tweets": target})
    for accuracy, loss in epochs:
        sampler.update_from_epoch_metrics(metrics_of(accuracy, loss))
        proportions = sampler.get_task_proportions(DATASETS)
        assert sum(proportions.values()) == pytest.approx(1.0)
        # The most different gaps are 0 and 2, with proportions 0.1 : 2.1.
        assert min(proportions.values()) >= 0.1 / 2.2 - 1e-12
