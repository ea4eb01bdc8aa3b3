"""The mean loss of each component since the last reset."""

from collections import defaultdict
from typing import Callable, DefaultDict, Dict, List, Sequence, Union

import torch
from allennlp.nn.util import distributed_device

Loss = Union[float, torch.Tensor]

# PyTorch 1 has no compiler.
is_compiling: Callable[[], bool] = getattr(
    getattr(torch, "compiler", None), "is_compiling", lambda: False
)

HALF_PRECISION = (torch.float16, torch.bfloat16)
MAX_PENDING = 256


class MeanLosses:
    """
    Averages the losses of each component over the batches since the last reset. Adding a loss does
    not synchronize with the device; `get` does.

        >>> losses = MeanLosses()
        >>> losses.add("ner", torch.tensor(1.0))
        >>> losses.add("ner", torch.tensor(4.0))
        >>> losses.get()
        {'ner': 2.5}
    """

    def __init__(self) -> None:
        self._pending: DefaultDict[str, List[Loss]] = defaultdict(list)
        self._totals: DefaultDict[str, Loss] = defaultdict(float)
        self._counts: DefaultDict[str, Loss] = defaultdict(int)

    def add(self, name: str, loss: Loss) -> None:
        """Adds the loss of one batch: a number, or a tensor of shape `[]`."""
        if is_compiling():
            self._add_as_tensors(name, torch.as_tensor(loss))
            return
        pending = self._pending[name]
        pending.append(loss.detach() if isinstance(loss, torch.Tensor) else loss)
        if len(pending) == MAX_PENDING:
            self._sum_pending(name)

    def _add_as_tensors(self, name: str, loss: torch.Tensor) -> None:
        # A list that grows, or a number that changes, would be compiled again in each step.
        one = torch.ones((), device=loss.device)
        self._totals[name] = self._totals.get(name, 0.0) + loss.detach()
        self._counts[name] = self._counts.get(name, 0) + one

    def _sum_pending(self, name: str) -> None:
        pending = self._pending.pop(name)
        self._counts[name] += len(pending)
        for loss in pending:
            # A sum in half precision would stop growing.
            is_half = isinstance(loss, torch.Tensor) and loss.dtype in HALF_PRECISION
            self._totals[name] += loss.float() if is_half else loss  # type: ignore[union-attr]

    def get(self) -> Dict[str, float]:
        """Returns the mean loss of each component that had one."""
        for name in list(self._pending):
            self._sum_pending(name)
        return {
            name: float(total) / float(self._counts[name]) for name, total in self._totals.items()
        }

    def reduce(self, names: Sequence[str]) -> None:
        """
        Adds up the losses of all processes in distributed training.

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
        """Forgets all losses."""
        self._pending.clear()
        self._totals.clear()
        self._counts.clear()
