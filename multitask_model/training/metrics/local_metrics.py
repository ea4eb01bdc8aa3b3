"""Metrics that count in their own process, until all processes exchange what they counted."""

from typing import Any, ClassVar, Dict, List, Optional, Tuple, Type

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.training.metrics import Metric

from multitask_model.distributed import alone
from multitask_model.routing.inputs import map_tensors
from multitask_model.training.metrics.head_metrics import metrics_of
from multitask_model.training.metrics.metric_states import class_of, summed_attributes, to_cpu

Call = Tuple[List[Any], Dict[str, Any]]
"""The arguments of a call, and its named arguments."""


class CallLog(List[Call]):
    """
    All calls of a metric since its last reset, with copies of their arguments on the CPU. A copy of
    the metric starts without calls.

        >>> import copy
        >>> copy.deepcopy(CallLog([([1], {})]))
        []
    """

    def __deepcopy__(self, memo: Dict[int, object]) -> "CallLog":
        return CallLog()


class LocalMetric(Metric):
    """
    A metric that counts in its own process, also if its class would wait for the other processes in
    each call. Processes may then call it for different numbers of batches. `make_local` gives a
    metric a subclass of this class and of its own.

        >>> from allennlp.training.metrics import Average
        >>> average = Average()
        >>> make_local(average)
        >>> isinstance(average, LocalMetric), type(average).__name__
        (True, 'Average')
    """

    local_original: ClassVar[Type[Metric]]
    """The class that the metric had."""
    local_calls: Optional[CallLog] = None
    """`None` if what the metric counts can be summed, so that calls need not be repeated."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # Before the call, which may change its arguments.
        call = None if self.local_calls is None else (_copies(list(args)), _copies(kwargs))
        with alone():
            result = super().__call__(*args, **kwargs)
        if self.local_calls is not None and call is not None:
            self.local_calls.append(call)
        return result

    def reset(self) -> None:
        super().reset()
        if self.local_calls is not None:
            self.local_calls.clear()


def _copies(arguments: Any) -> Any:
    return map_tensors(to_cpu, arguments)


def count_locally(head: torch.nn.Module) -> None:
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
    original = class_of(metric)
    if not isinstance(metric, LocalMetric):
        try:
            metric.__class__ = _local_class(original)
        except TypeError as error:
            raise ConfigurationError(
                "Distributed training requires metrics whose class can be changed, but got "
                f"{original.__name__}: {error}. Leave out its __slots__."
            ) from error
    assert isinstance(metric, LocalMetric)
    if metric.local_calls is None and summed_attributes(original) is None:
        metric.local_calls = CallLog()


def _local_class(original: Type[Metric]) -> Type[Metric]:
    if original not in _local_classes:
        members = {"__module__": original.__module__, "__slots__": (), "local_original": original}
        local = type(original.__name__, (LocalMetric, original), members)
        _local_classes[original] = local
    return _local_classes[original]


_local_classes: Dict[type, Type[Metric]] = {}
