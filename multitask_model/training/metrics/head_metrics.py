"""Reading the metrics of a head that may not have counted anything."""

import copy
from typing import Dict, Iterator, Mapping

import numpy
import torch
from allennlp.models.heads import Head
from allennlp.training.metrics import Metric

from multitask_model.compat.allennlp_internals import is_uncalled_metric_error


def read_metrics(head: Head, reset: bool, had_loss: bool) -> Dict[str, float]:
    """
    Returns the metrics of a head that ran since the last reset.

    # Parameters

    head : `Head`
    reset : `bool`
        Whether the head resets its metrics.
    had_loss : `bool`
        Whether the head had a loss since the last reset.

    # Returns

    `Dict[str, float]`
        `head.get_metrics(reset)`. Nothing if the head had no loss and none of its `Metric` objects
        counted anything, as without labels: an accuracy of 0 would be wrong. Nothing either if one
        of its metrics cannot be read before it has been called, such as `FBetaMeasure`. A head
        without `Metric` objects is always reported.
    """
    counted = had_loss or _has_counted(head)
    try:
        metrics = dict(head.get_metrics(reset))
    except RuntimeError as error:
        if not is_uncalled_metric_error(error):
            raise
        if reset:
            # The error came before the remaining metrics were reset.
            for metric in metrics_of(head):
                metric.reset()
        return {}
    return metrics if counted else {}


def metrics_of(head: torch.nn.Module) -> Iterator[Metric]:
    """Yields the metrics of a head: its attributes, and what is in its lists and dictionaries."""
    for module in head.modules():
        for value in vars(module).values():
            items = value.values() if isinstance(value, Mapping) else value
            for item in items if isinstance(value, (Mapping, list, tuple)) else (value,):
                if isinstance(item, Metric):
                    yield item


def _has_counted(head: torch.nn.Module) -> bool:
    metrics = list(metrics_of(head))
    return not metrics or not all(map(_is_reset, metrics))


def _is_reset(metric: Metric) -> bool:
    """Whether a reset would not change the metric."""
    try:
        fresh = copy.deepcopy(metric)
        fresh.reset()
    except (NotImplementedError, RuntimeError, TypeError):
        return False  # cannot be copied or reset
    return _are_equal(vars(metric), vars(fresh))


def _are_equal(first: object, second: object) -> bool:
    if first is second:
        return True
    if type(first) is not type(second):
        return False
    if isinstance(first, torch.Tensor) and isinstance(second, torch.Tensor):
        return first.device == second.device and torch.equal(first, second)
    if isinstance(first, numpy.ndarray):
        return numpy.array_equal(first, second)  # type: ignore[arg-type]
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        same_keys = first.keys() == second.keys()
        return same_keys and all(_are_equal(first[key], second[key]) for key in first)
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        return len(first) == len(second) and all(map(_are_equal, first, second))
    if isinstance(first, Metric):
        return _are_equal(vars(first), vars(second))
    return bool(first == second)
