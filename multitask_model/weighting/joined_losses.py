"""The losses of the batches of all processes, in distributed training."""

from typing import Dict, Iterable, List, Mapping, NamedTuple, Sequence

import torch
from allennlp.nn.util import distributed_device

from multitask_model.errors import format_names


class JoinedLosses(NamedTuple):
    """The losses of the joined batch of all processes."""

    losses: Dict[str, torch.Tensor]
    """The loss of each component that had one in any process, each of shape `[]`."""
    rows: Dict[str, int]
    """The number of rows that each of them is the mean of."""
    batch_size: int


STEP, METRICS = 1, 2
"""What processes do together: a step of training, or the exchange of metrics."""


def join_losses(
    losses: Mapping[str, torch.Tensor],
    rows: Mapping[str, int],
    batch_size: int,
    components: Sequence[str],
) -> JoinedLosses:
    """
    Joins the losses of all processes, each of which must call this in every step. A joined loss is
    the mean over the rows of all processes. `DistributedDataParallel` averages the gradients of P
    processes, so the gradient of a loss in this process, the mean of n of N rows, is multiplied by
    P · n / N: the average is then the gradient of the joined loss, and that of any function of the
    joined losses is right as well.

    The processes exchange 16 bytes for each component and for each process in each step.

    # Parameters

    losses : `Mapping[str, torch.Tensor]`
        The losses of this process, each of shape `[]`; empty if it has no batch.
    rows : `Mapping[str, int]`
        The number of rows that each of them is the mean of.
    batch_size : `int`
        0 if this process has no batch.
    components : `Sequence[str]`
        All components in their order, the same in every process.
    """
    counts = [[rows.get(name, 0), 0.0] for name in components]
    sums = torch.tensor([*counts, [batch_size, 0.0]], dtype=torch.float64)  # Shape: (C + 1, 2)
    for i, name in enumerate(components):
        if name in losses:
            sums[i, 1] = losses[name].detach().double().cpu() * rows[name]
    totals = _sum_in_step(STEP, sums, components)
    processes = torch.distributed.get_world_size()
    joined = {}
    for name, (count, total) in zip(components, totals):
        if count and name in losses:
            scaled = losses[name] * (processes * rows[name] / count)
            # The value is the same number in every process.
            joined[name] = (scaled - scaled.detach()) + total / count
        elif count:
            joined[name] = torch.tensor(total / count, device=distributed_device())
    joined_rows = {name: int(count) for name, (count, _) in zip(components, totals) if count}
    return JoinedLosses(joined, joined_rows, int(totals[-1][0]))


def check_same_step(kind: int, components: Sequence[str]) -> None:
    """
    Checks that all processes do the same, `STEP` or `METRICS`. A process that takes part in the
    next exchange of the others by doing something else would wait for them forever.

    # Raises

    `RuntimeError`
        In every process, unless they do the same.
    """
    _sum_in_step(kind, torch.zeros(len(components) + 1, 2, dtype=torch.float64), components)


def _sum_in_step(kind: int, values: torch.Tensor, components: Sequence[str]) -> List[List[float]]:
    """Adds up the `values` of all processes, of shape `(C + 1, 2)`, if they do the same."""
    kinds = torch.zeros(torch.distributed.get_world_size(), 2, dtype=torch.float64)
    kinds[torch.distributed.get_rank(), 0] = kind
    sums = torch.cat([values, kinds]).to(distributed_device())  # Shape: (C + 1 + P, 2)
    torch.distributed.all_reduce(sums)
    totals: List[List[float]] = sums.tolist()
    kinds_of_processes = [int(row[0]) for row in totals[len(values) :]]
    if len(set(kinds_of_processes)) > 1:
        in_step, in_metrics = (
            [str(i) for i, kind in enumerate(kinds_of_processes) if kind == of_kind]
            for of_kind in (STEP, METRICS)
        )
        ran = [name for name, (count, _) in zip(components, totals) if count]
        raise RuntimeError(
            "All processes must call forward in training mode, and get_metrics(reset=True), "
            f"equally often, but the processes {', '.join(in_step)} trained the components "
            f"{format_names(ran)} while the processes {', '.join(in_metrics)} called get_metrics. "
            "Call both in all processes."
        )
    return totals[: len(values)]


def anchor(modules: Iterable[torch.nn.Module]) -> torch.Tensor:
    """
    Returns a zero that depends on the first of the modules' parameters that is trained, for a
    process whose own batch has no loss to train on: `DistributedDataParallel` needs a backward pass
    in every process.
    """
    for module in modules:
        for parameter in module.parameters():
            if parameter.requires_grad:
                return parameter.flatten()[:0].sum()
    return torch.zeros(())
