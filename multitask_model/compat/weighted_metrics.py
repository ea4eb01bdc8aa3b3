"""Weights in the trainer's `validation_metric`, which AllenNLP can only sum."""

import math
from typing import Callable, Dict, List, Mapping, Optional, Union

from allennlp.common.checks import ConfigurationError
from allennlp.training import GradientDescentTrainer
from allennlp.training.metric_tracker import MetricTracker

from multitask_model.compat.patching import patch

# The dictionary comes before the list, because AllenNLP makes a list of the keys of a dictionary.
# Its values are checked below: if they were `float`, that list would replace a wrong dictionary.
MetricNames = Union[str, Dict[str, object], List[str]]


def accept_weights_in_validation_metric() -> None:
    """
    Accepts `{"+ner_f1": 0.7, "-loss": 0.3}`: the weighted sum of the metrics, those with `-`
    subtracted. AllenNLP checks the annotation of the parameter, and builds the tracker from it.
    """
    constructor = GradientDescentTrainer.__dict__["from_partial_objects"].__func__
    constructor.__annotations__["validation_metric"] = MetricNames

    @patch(MetricTracker, "__init__")
    def _(
        original: Callable[..., None],
        tracker: MetricTracker,
        metric_name: MetricNames,
        patience: Optional[int] = None,
    ) -> None:
        if not isinstance(metric_name, Mapping):
            original(tracker, metric_name, patience)
            return
        weights = _checked_weights(metric_name)
        original(tracker, list(metric_name), patience)
        tracker.tracked_metrics = [
            (sign * weight, name) for (sign, name), weight in zip(tracker.tracked_metrics, weights)
        ]


def _checked_weights(metrics: Mapping[str, object]) -> List[float]:
    weights: List[float] = []
    for name, weight in metrics.items():
        is_number = isinstance(weight, (int, float)) and not isinstance(weight, bool)
        if not is_number or not 0 <= weight < math.inf:  # type: ignore[operator]
            raise ConfigurationError(
                "validation_metric must have a finite weight of at least 0 for each metric, but "
                f"got {weight!r} for {name!r}. The sign in front of the name says whether the "
                'metric is added or subtracted: {"+accuracy": 0.7, "-loss": 0.3}.'
            )
        weights.append(weight)  # type: ignore[arg-type]
    return weights
