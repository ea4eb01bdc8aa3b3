"""The mean loss of each component since the last reset."""

from collections import defaultdict
from typing import Any, DefaultDict, Dict, List, Sequence

import torch
from allennlp.nn.util import distributed_device

# PyTorch 1 has no compiler.
is_compiling = getattr(getattr(torch, "compiler", None), "is_compiling", lambda: False)

_HALF = (torch.float16, torch.bfloat16)
MAX_PENDING = 256


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
        if len(pending) == MAX_PENDING:
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
