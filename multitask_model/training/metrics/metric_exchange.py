"""The exchange of what all processes of distributed training counted in an epoch."""

from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from allennlp.models.heads import Head
from allennlp.training.metrics import Metric

from multitask_model.distributed import alone, gather
from multitask_model.errors import format_names
from multitask_model.training.metrics.head_metrics import is_reset, metrics_of
from multitask_model.training.metrics.local_metrics import Call, LocalMetric, make_local
from multitask_model.training.metrics.mean_losses import MeanLosses
from multitask_model.training.metrics.metric_states import (
    State,
    class_of,
    set_state,
    state_of,
    sum_states,
    summed_attributes,
)


class _MetricCounts(NamedTuple):
    """What one metric counted in one process."""

    name: str
    """The name of its class."""
    state: Optional[State] = None
    """What it counted, if that can be summed."""
    calls: Sequence[Call] = ()
    """Otherwise its calls."""
    is_recorded: bool = True
    """Whether `calls` are all of its calls."""


class _ProcessCounts(NamedTuple):
    """What one process counted since the last exchange."""

    losses: Dict[str, Tuple[float, float]]
    """The sum of the losses of each head, and their number of rows."""
    called: Set[str]
    """The heads that were called."""
    metrics: Dict[str, List[_MetricCounts]]
    """The metrics of each head. Only those of heads that were called have counts."""


def exchange_metrics(heads: Mapping[str, Head], called: Set[str], losses: MeanLosses) -> None:
    """
    Gives every process what all processes counted, as if it had seen all instances itself. All
    processes must call it at the same time. It is exact for every `Metric`: what is known to be a
    sum is added up, and calls of any other metric are repeated in every process, the first of each
    process before the second ones.

    The processes send some numbers for a metric that can be summed, whatever the number of
    instances. For any other, they keep the arguments of all calls in the memory of the CPU, send
    them, and take the time of all calls again.

    # Parameters

    heads : `Mapping[str, Head]`
        All heads in their order, the same in every process.
    called : `Set[str]`
        The names of those that were called. Those that other processes called are added.
    losses : `MeanLosses`
        The losses of this process. Becomes those of all processes.

    # Raises

    `RuntimeError`
        If a head has other metrics in another process, or has metrics that were created in its
        first call and cannot be summed.
    """
    metrics = {name: list(metrics_of(head)) for name, head in heads.items()}
    # Heads may share a metric.
    used = {id(metric) for name in called & metrics.keys() for metric in metrics[name]}
    counts = {
        name: [_counts_of(metric, id(metric) in used) for metric in of_head]
        for name, of_head in metrics.items()
    }
    of_processes = gather(_ProcessCounts(losses.sums(), called & metrics.keys(), counts))
    losses.replace([counts.losses for counts in of_processes])
    called.update(*(counts.called for counts in of_processes))
    merged: Set[int] = set()
    for name, of_head in metrics.items():
        counts_of_head = [counts.metrics[name] for counts in of_processes]
        _check_metrics(name, counts_of_head, is_called=name in called)
        for i, metric in enumerate(of_head):
            if id(metric) not in merged:
                merged.add(id(metric))
                _merge(metric, [counts[i] for counts in counts_of_head if i < len(counts)])


def _counts_of(metric: Metric, is_used: bool) -> _MetricCounts:
    original = class_of(metric)
    if not is_used:
        return _MetricCounts(original.__name__)
    attributes = summed_attributes(original)
    if attributes is not None:
        return _MetricCounts(original.__name__, state_of(metric, attributes))
    is_recorded = isinstance(metric, LocalMetric) or is_reset(metric)
    make_local(metric)
    assert isinstance(metric, LocalMetric)
    calls = list(metric.local_calls or ())
    return _MetricCounts(original.__name__, calls=calls, is_recorded=is_recorded)


def _merge(metric: Metric, counts: Sequence[_MetricCounts]) -> None:
    states = [of_process.state for of_process in counts if of_process.state is not None]
    calls = [of_process.calls for of_process in counts]
    with alone():
        if states:
            set_state(metric, sum_states(states))
        elif any(calls):
            _repeat(metric, _in_turn(calls))


def _repeat(metric: Metric, calls: Sequence[Call]) -> None:
    metric.reset()
    for arguments, named_arguments in calls:
        class_of(metric).__call__(metric, *arguments, **named_arguments)


def _in_turn(calls: Sequence[Sequence[Call]]) -> List[Call]:
    """The first call of each process, then the second ones."""
    most = max(map(len, calls))
    return [of_process[i] for i in range(most) for of_process in calls if i < len(of_process)]


def _check_metrics(name: str, counts: Sequence[Sequence[_MetricCounts]], is_called: bool) -> None:
    names = [[metric.name for metric in of_process] for of_process in counts]
    for process, of_process in enumerate(counts):
        if is_called and names[process] != names[0]:
            raise RuntimeError(
                f"The head {name!r} must have the same metrics in every process, but got "
                f"{format_names(names[0])} in process 0 and "
                f"{format_names(names[process])} in process {process}. Create all metrics in "
                "__init__."
            )
        for metric in of_process:
            if not metric.is_recorded:
                raise RuntimeError(
                    f"The metrics of the head {name!r} must exist before its first call, but got "
                    f"{metric.name}, which was created in it in process {process}. Create all "
                    "metrics in __init__."
                )
