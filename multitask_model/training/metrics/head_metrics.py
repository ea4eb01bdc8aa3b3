"""Reading the metrics of a head that may not have counted anything."""

import copy
from itertools import islice
from types import FunctionType, ModuleType
from typing import Dict, Iterator, Mapping, Set

import numpy
import torch
from allennlp.data import Vocabulary
from allennlp.models.heads import Head
from allennlp.training.metrics import Metric

from multitask_model.compat.allennlp_internals import is_uncalled_metric_error

_OF_ALL_MODULES = frozenset(vars(torch.nn.Module()))
_WITHOUT_METRICS = (
    *(type(None), bool, int, float, str, bytes, type, FunctionType, ModuleType),
    # Metrics in other modules are found by way of `torch.nn.Module.modules`.
    *(torch.Tensor, torch.nn.Module, numpy.ndarray, Vocabulary),
)


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
    """
    Yields each metric of a head once: those in its attributes, and in lists, dictionaries and plain
    objects there.
    """
    seen: Set[int] = set()
    for module in head.modules():
        if isinstance(module, Metric):
            yield from _metrics_in(module, seen)
            continue
        for name, value in vars(module).items():
            if name not in _OF_ALL_MODULES:
                yield from _metrics_in(value, seen)


def _metrics_in(value: object, seen: Set[int], in_object: bool = False) -> Iterator[Metric]:
    if id(value) in seen:
        return
    if isinstance(value, Metric):
        seen.add(id(value))
        yield value
    elif _has_none(value):
        return
    elif isinstance(value, (Mapping, list, tuple, set)):
        seen.add(id(value))
        items = value.values() if isinstance(value, Mapping) else value
        # A long list of numbers, such as of predictions, is not searched.
        if not all(map(_has_none, islice(items, 100))):
            for item in items:
                yield from _metrics_in(item, seen, in_object)
    elif hasattr(value, "__dict__") and not in_object:
        seen.add(id(value))
        for item in vars(value).values():
            yield from _metrics_in(item, seen, in_object=True)


def _has_counted(head: torch.nn.Module) -> bool:
    metrics = list(metrics_of(head))
    return not metrics or not all(map(is_reset, metrics))


def _has_none(value: object) -> bool:
    return isinstance(value, _WITHOUT_METRICS) and not isinstance(value, Metric)


def is_reset(metric: Metric) -> bool:
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
