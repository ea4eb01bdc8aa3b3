"""Weights in the trainer's `validation_metric`."""

import json
from pathlib import Path
from typing import Any

import pytest
from allennlp.common.checks import ConfigurationError
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


@pytest.mark.slow
def test_a_config_may_have_weights(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    weights = {"+polarity_accuracy": 0.7, "-mood_loss": 0.3}
    config["trainer"].update(validation_metric=weights, num_epochs=3)
    train(config, tmp_path, "run")
    epochs = [
        json.loads((tmp_path / "run" / f"metrics_epoch_{epoch}.json").read_text())
        for epoch in range(3)
    ]
    scores = [
        0.7 * e["validation_polarity_accuracy"] - 0.3 * e["validation_mood_loss"] for e in epochs
    ]
    assert epochs[-1]["best_epoch"] == scores.index(max(scores))
    config["trainer"]["validation_metric"] = {"+polarity_f1": 1.0}
    with pytest.raises(ConfigurationError, match="validation_metric must name metrics"):
        train(config, tmp_path, "run")
