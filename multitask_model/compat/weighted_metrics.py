"""Weights in the trainer's `validation_metric`, which AllenNLP can only sum."""

from typing import Callable, Dict, List, Mapping, Optional, Union

from allennlp.training import GradientDescentTrainer
from allennlp.training.metric_tracker import MetricTracker

from multitask_model.compat.patching import patch

MetricNames = Union[str, List[str], Dict[str, float]]


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
        original(tracker, list(metric_name), patience)
        tracker.tracked_metrics = [
            (sign * weight, name)
            for (sign, name), weight in zip(tracker.tracked_metrics, metric_name.values())
        ]
