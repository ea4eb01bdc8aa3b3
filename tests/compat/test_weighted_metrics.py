"""Weights in the trainer's `validation_metric`."""

import json
from pathlib import Path
from typing import Any

import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.common.from_params import construct_arg
from allennlp.training import GradientDescentTrainer
from allennlp.training.metric_tracker import MetricTracker

import multitask_model  # noqa: F401  (applies the patch)
from tests.helpers.training_config import make_config, train


@pytest.mark.parametrize(
    ("names", "score"),
    [
        ("+f1", 0.5),
        (["+f1", "-loss"], -1.5),
        (["+f1", "+f1", "-loss"], -1.0),
        ({"+f1": 0.7, "-loss": 0.25}, -0.15),
    ],
)
def test_the_score_is_the_weighted_sum(names: Any, score: float) -> None:
    tracker = MetricTracker(names, patience=3)
    assert tracker.combined_score({"f1": 0.5, "loss": 2.0}) == pytest.approx(score)


def test_weighted_names_need_a_sign() -> None:
    with pytest.raises(ConfigurationError, match=r"must start with \+ or -"):
        MetricTracker({"f1": 0.5})  # type: ignore[arg-type]


@pytest.mark.parametrize("weight", ["a", -5, float("nan"), float("inf"), True, None])
def test_a_weight_must_be_a_finite_number(weight: Any) -> None:
    message = rf"at least 0 for each metric, but got {weight!r} for '\+f1'. The sign in front"
    with pytest.raises(ConfigurationError, match=message):
        MetricTracker({"-loss": 1.0, "+f1": weight})  # type: ignore[arg-type]


@pytest.mark.parametrize("names", ["+f1", ["+f1", "-loss"], {"+f1": 0.7, "-loss": 1}, {"+f1": "a"}])
def test_the_trainer_gets_what_a_config_has(names: Any) -> None:
    value = Params({"names": names}).pop("names")
    constructor = GradientDescentTrainer.from_partial_objects
    annotation = constructor.__annotations__["validation_metric"]
    assert construct_arg("trainer", "validation_metric", value, annotation, "-loss") == names


@pytest.mark.slow
def test_a_config_may_have_weights(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    weights = {"+mood_loss": 0.1, "+polarity_accuracy": 10.0}
    config["trainer"].update(validation_metric=weights, num_epochs=3)
    train(config, tmp_path, "run")
    epochs = [
        json.loads((tmp_path / "run" / f"metrics_epoch_{epoch}.json").read_text())
        for epoch in range(3)
    ]
    values = [(e["validation_mood_loss"], e["validation_polarity_accuracy"]) for e in epochs]
    scores = [0.1 * loss + 10.0 * accuracy for loss, accuracy in values]
    sums = [loss + accuracy for loss, accuracy in values]
    assert epochs[-1]["best_epoch"] == scores.index(max(scores)) != sums.index(max(sums))
    config["trainer"]["validation_metric"] = {"+polarity_f1": 1.0}
    with pytest.raises(ConfigurationError, match="validation_metric must name metrics"):
        train(config, tmp_path, "run")
