"""The joint loss of a batch, and the mean loss of each component."""

import numbers
from collections import defaultdict
from typing import Any, DefaultDict, Dict, List, Mapping, Sequence

import torch
from allennlp.nn.util import distributed_device

# PyTorch 1 has no compiler.
is_compiling = getattr(getattr(torch, "compiler", None), "is_compiling", lambda: False)

# See `loss_reduction` of `MultiTaskModel`.
LOSS_REDUCTIONS = ("heads", "instances")

_HALF = (torch.float16, torch.bfloat16)
_MOST_PENDING = 256


def as_scalar(component: str, loss: Any) -> Any:
    """
    # Returns

    The loss as a number or a tensor of shape `[]`.

    # Raises

    `ValueError`
        If it is not one number.
    """
    if isinstance(loss, torch.Tensor):
        if not loss.dim():
            return loss
        if loss.numel() == 1:
            return loss.reshape(())
    elif isinstance(loss, numbers.Real):
        return loss
    is_tensor = isinstance(loss, torch.Tensor)
    found = f"a tensor of shape {list(loss.shape)}" if is_tensor else repr(loss)
    raise ValueError(
        f"The loss of {component!r} must be one number, but it is {found}. Reduce it in the "
        "forward() of that component, for example with .mean()."
    )


def joint_loss(
    losses: Mapping[str, Any], weights: Mapping[str, float], own: bool = False
) -> torch.Tensor:
    """
    The sum of weight times loss over the components that have a loss, added up in their order.

    # Parameters

    losses : `Mapping[str, Any]`
        Tensors of shape `[]`, or numbers; at least one.
    weights : `Mapping[str, float]`
    own : `bool`, optional (default = `False`)
        Whether the result must not be one of the `losses` itself, which it may be if that is the
        only one and has weight 1.

    # Returns

    `torch.Tensor`
        Of shape `[]`.
    """
    total = None
    for name, loss in losses.items():
        weight = weights[name]
        weighted = loss if weight == 1.0 else weight * loss
        total = weighted if total is None else total + weighted
    if not isinstance(total, torch.Tensor):
        return torch.tensor(total)
    return total.clone() if own else total


class MeanLosses:
    """
    The mean loss of each component over the batches since the last reset. Adding to it neither
    waits for the device nor computes anything there; reading it does.
    """

    def __init__(self) -> None:
        self._pending: DefaultDict[str, List[Any]] = defaultdict(list)
        self._totals: DefaultDict[str, Any] = defaultdict(float)
        self._counts: DefaultDict[str, Any] = defaultdict(int)

    def add(self, name: str, loss: Any) -> None:
        if is_compiling():
            self._add_as_tensors(name, loss)
            return
        pending = self._pending[name]
        pending.append(loss.detach() if isinstance(loss, torch.Tensor) else loss)
        if len(pending) == _MOST_PENDING:
            self._add_up(name)

    def _add_as_tensors(self, name: str, loss: Any) -> None:
        """Without a length or a number that changes, for each of which it would compile anew."""
        one = torch.ones((), device=loss.device)
        self._totals[name] = self._totals.get(name, 0.0) + loss.detach()
        self._counts[name] = self._counts.get(name, 0) + one

    def _add_up(self, name: str) -> None:
        pending = self._pending.pop(name)
        self._counts[name] += len(pending)
        for loss in pending:
            # A sum in half precision would stop growing.
            is_half = isinstance(loss, torch.Tensor) and loss.dtype in _HALF
            self._totals[name] = self._totals[name] + (loss.float() if is_half else loss)

    def get(self) -> Dict[str, float]:
        for name in list(self._pending):
            self._add_up(name)
        return {
            name: float(total) / float(self._counts[name]) for name, total in self._totals.items()
        }

    def reduce(self, names: Sequence[str]) -> None:
        """
        Adds up the losses of all processes of a distributed training.

        # Parameters

        names : `Sequence[str]`
            All components, in the same order in every process.
        """
        self.get()
        sums = [[float(self._totals.get(n, 0.0)), float(self._counts.get(n, 0))] for n in names]
        reduced = torch.tensor(sums, device=distributed_device(), dtype=torch.float64)
        torch.distributed.all_reduce(reduced)  # Shape: (components, 2)
        for name, (total, count) in zip(names, reduced.tolist()):
            if count:
                self._totals[name], self._counts[name] = total, count

    def reset(self) -> None:
        for values in (self._pending, self._totals, self._counts):
            values.clear()
