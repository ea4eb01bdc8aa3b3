"""Metrics that count in their own process, until all processes exchange what they counted."""

from typing import Any, ClassVar, Dict, List, Optional, Tuple

from allennlp.common.checks import ConfigurationError
from allennlp.models.heads import Head
from allennlp.training.metrics import Metric

from multitask_model.distributed import alone
from multitask_model.routing.inputs import map_tensors
from multitask_model.training.metrics.head_metrics import metrics_of
from multitask_model.training.metrics.metric_states import summed_attributes, to_cpu

Call = Tuple[List[Any], Dict[str, Any]]
"""The arguments of a call, and its named arguments."""


class LocalMetric(Metric):
    """
    A metric that counts in its own process, also if its class would wait for the other processes in
    each call. Processes may then call it for different numbers of batches. `count_locally` gives a
    metric a subclass of this class and of its own.

        >>> from allennlp.training.metrics import Average
        >>> average = Average()
        >>> make_local(average)
        >>> isinstance(average, LocalMetric), type(average).__name__
        (True, 'Average')
    """

    original: ClassVar[type]
    """The class that the metric had."""
    owner: ClassVar[int]
    """The `id` of the metric. A copy of the metric has this class too, but needs its own."""
    calls: ClassVar[Optional[List[Call]]]
    """
    All calls since the last exchange, with copies of their arguments on the CPU. `None` if what the
    metric counts can be summed, so that calls need not be repeated in other processes.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with alone():
            result = super().__call__(*args, **kwargs)
        if self.calls is not None:
            self.calls.append((_copies(list(args)), _copies(kwargs)))
        return result


def _copies(arguments: Any) -> Any:
    return map_tensors(to_cpu, arguments)


def count_locally(head: Head) -> None:
    """Lets all metrics of a head count in their own process."""
    for metric in metrics_of(head):
        make_local(metric)


def make_local(metric: Metric) -> None:
    """
    Lets a metric count in its own process.

    # Raises

    `ConfigurationError`
        If its class cannot be changed.
    """
    original = type(metric)
    if issubclass(original, LocalMetric):
        if original.owner == id(metric):
            return
        original = original.original
    members = {
        "__module__": original.__module__,
        "original": original,
        "owner": id(metric),
        "calls": [] if summed_attributes(original) is None else None,
    }
    try:
        metric.__class__ = type(original.__name__, (LocalMetric, original), members)
    except TypeError as error:
        raise ConfigurationError(
            "Distributed training requires metrics whose class can be changed, but got "
            f"{original.__name__}: {error}. Leave out its __slots__."
        ) from error
