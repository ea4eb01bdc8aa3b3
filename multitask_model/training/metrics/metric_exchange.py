"""The exchange of what all processes of distributed training counted in an epoch."""

from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from allennlp.models.heads import Head
from allennlp.training.metrics import Metric

from multitask_model.distributed import alone, gather
from multitask_model.errors import format_names
from multitask_model.training.metrics.head_metrics import metrics_of
from multitask_model.training.metrics.local_metrics import Call, LocalMetric
from multitask_model.training.metrics.mean_losses import MeanLosses
from multitask_model.training.metrics.metric_states import (
    State,
    set_state,
    state_of,
    sum_states,
    summed_attributes,
)


class _MetricCounts(NamedTuple):
    """What one metric counted in one process."""

    name: str
    """The name of its class."""
    state: Optional[State]
    """What it counted, if that can be summed."""
    calls: List[Call]
    """Otherwise its calls."""


class _ProcessCounts(NamedTuple):
    """What one process counted since the last exchange."""

    losses: Dict[str, Tuple[float, float]]
    """The sum of the losses of each head, and their number of rows."""
    metrics: Dict[str, List[_MetricCounts]]
    """The metrics of each head that was called."""


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
        If a head has other metrics in another process.
    """
    ran = [name for name in heads if name in called]
    own = _ProcessCounts(losses.sums(), {name: _counts_of(heads[name]) for name in ran})
    of_processes = gather(own)
    losses.replace([counts.losses for counts in of_processes])
    for name, head in heads.items():
        counts = {i: c.metrics[name] for i, c in enumerate(of_processes) if name in c.metrics}
        if counts:
            called.add(name)
            _merge(name, head, counts)


def _counts_of(head: Head) -> List[_MetricCounts]:
    counts = []
    for metric in metrics_of(head):
        assert isinstance(metric, LocalMetric)
        attributes = summed_attributes(metric.original)
        state = None if attributes is None else state_of(metric, attributes)
        counts.append(_MetricCounts(metric.original.__name__, state, list(metric.calls or ())))
    return counts


def _merge(name: str, head: Head, counts: Mapping[int, Sequence[_MetricCounts]]) -> None:
    _check_same_metrics(name, counts)
    for metric, *of_processes in zip(metrics_of(head), *counts.values()):
        states = [counts.state for counts in of_processes if counts.state is not None]
        with alone():
            if states:
                set_state(metric, sum_states(states))
            else:
                _repeat(metric, _in_turn([counts.calls for counts in of_processes]))
        if isinstance(metric, LocalMetric) and metric.calls is not None:
            metric.calls.clear()


def _repeat(metric: Metric, calls: Sequence[Call]) -> None:
    count = (metric.original if isinstance(metric, LocalMetric) else type(metric)).__call__
    metric.reset()
    for arguments, named_arguments in calls:
        count(metric, *arguments, **named_arguments)


def _in_turn(calls: Sequence[Sequence[Call]]) -> List[Call]:
    """The first call of each process, then the second ones."""
    most = max(map(len, calls))
    return [of_process[i] for i in range(most) for of_process in calls if i < len(of_process)]


def _check_same_metrics(name: str, counts: Mapping[int, Sequence[_MetricCounts]]) -> None:
    names = {rank: [c.name for c in of_process] for rank, of_process in counts.items()}
    first, *others = names
    for rank in others:
        if names[rank] != names[first]:
            raise RuntimeError(
                f"The head {name!r} must have the same metrics in every process, but got "
                f"{format_names(names[first])} in process {first} and "
                f"{format_names(names[rank])} in process {rank}. Create all metrics in __init__."
            )
