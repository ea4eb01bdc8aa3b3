"""The mean loss of each component since the last reset."""

import threading
from collections import deque
from typing import Deque, Dict, List, Mapping, Optional, Sequence, Tuple, Union

import torch

from multitask_model.compat.torch_internals import is_compiling, is_on_cpu, is_transformed
from multitask_model.distributed import gather

Number = Union[float, torch.Tensor]

MAX_PENDING = 256

# Of the module, since a lock cannot be copied or pickled with a model.
_lock = threading.RLock()


class MeanLosses:
    """
    Averages the losses of each component over the instances since the last reset: the loss of each
    batch is weighted by the number of rows that it is the mean of. Sums are in double precision.

    Adding a loss copies its value and does not synchronize with an accelerator; `get` does. Several
    threads may add losses at the same time.

        >>> losses = MeanLosses()
        >>> losses.add("ner", torch.tensor(1.0), rows=3)
        >>> losses.add("ner", torch.tensor(5.0), rows=1)
        >>> losses.get()
        {'ner': 2.0}
    """

    def __init__(self) -> None:
        self._pending: Deque[Tuple[str, Number, int]] = deque()
        # By component and device, as tensors of two devices cannot be added.
        self._totals: Dict[Tuple[str, Optional[torch.device]], Number] = {}
        self._counts: Dict[str, int] = {}
        # Shape: (2,), the sum and the number of rows
        self._compiled: Dict[str, torch.Tensor] = {}

    def add(self, name: str, loss: Number, rows: int) -> None:
        """
        Adds the loss of one batch.

        # Parameters

        name : `str`
            The component.
        loss : `Union[float, torch.Tensor]`
            A number, or a tensor of shape `[]`. A tensor without a single value, such as one on the
            device `meta` or inside `torch.func.vmap`, is ignored.
        rows : `int`
            The number of rows that the loss is the mean of.
        """
        self.add_all({name: loss}, {name: rows})

    def add_all(self, losses: Mapping[str, Number], rows: Mapping[str, int]) -> None:
        """
        Adds the losses of several components for one batch. `rows` has the number of rows of each.
        """
        if is_compiling():
            for name, loss in losses.items():
                self._add_compiled(name, torch.as_tensor(loss), rows[name])
            return
        for name, loss in losses.items():
            if isinstance(loss, torch.Tensor):
                if is_on_cpu(loss) or is_transformed(loss):
                    try:
                        loss = loss.item()
                    except RuntimeError:
                        continue
                elif loss.is_meta:
                    continue
                else:
                    # The caller may change the loss in place, or it may be a view of a large one.
                    loss = loss.detach().clone()
            self._pending.append((name, loss, rows[name]))
        if len(self._pending) >= MAX_PENDING:
            self._sum_pending()

    def _add_compiled(self, name: str, loss: torch.Tensor, rows: int) -> None:
        # A list that grows, or a number that changes, would be compiled again in each step.
        count = torch.full((), rows, dtype=_dtype_of_sums(loss.device), device=loss.device)
        new = torch.stack([loss.detach().to(count.dtype) * count, count])
        old = self._compiled.get(name)
        self._compiled[name] = new if old is None else old + new

    def _sum_pending(self) -> None:
        with _lock:
            tensors: Dict[Tuple[str, int, torch.device], List[torch.Tensor]] = {}
            for _ in range(len(self._pending)):
                name, loss, rows = self._pending.popleft()
                self._counts[name] = self._counts.get(name, 0) + rows
                if isinstance(loss, torch.Tensor):
                    tensors.setdefault((name, rows, loss.device), []).append(loss)
                else:
                    self._add_total(name, None, loss * rows)
            for (name, rows, device), losses in tensors.items():
                dtype = _dtype_of_sums(device)
                total = torch.stack([loss.to(dtype) for loss in losses]).sum() * rows
                self._add_total(name, device, total)

    def _add_total(self, name: str, device: Optional[torch.device], total: Number) -> None:
        self._totals[name, device] = self._totals.get((name, device), 0.0) + total

    def sums(self) -> Dict[str, Tuple[float, float]]:
        """Returns the sum over all rows and the number of rows of each component."""
        self._sum_pending()
        totals: Dict[str, float] = dict.fromkeys(self._counts, 0.0)
        for (name, _), total in self._totals.items():
            totals[name] += float(total)
        sums: Dict[str, Tuple[float, float]] = {
            name: (total, self._counts[name]) for name, total in totals.items()
        }
        for name, tensor in self._compiled.items():
            total, count = tensor.tolist()
            other_total, other_count = sums.get(name, (0.0, 0.0))
            sums[name] = (total + other_total, count + other_count)
        return sums

    def get(self, reset: bool = False) -> Dict[str, float]:
        """Returns the mean loss of each component that had one."""
        with _lock:
            means = {name: total / count for name, (total, count) in self.sums().items()}
            if reset:
                self.reset()
        return means

    def replace(self, sums: Sequence[Mapping[str, Tuple[float, float]]]) -> None:
        """Replaces all losses by those with the given `sums`, of several processes."""
        with _lock:
            self.reset()
            for of_process in sums:
                for name, (total, count) in of_process.items():
                    self._add_total(name, None, total)
                    self._counts[name] = self._counts.get(name, 0) + int(count)

    def exchange(self) -> None:
        """Gives every process of distributed training the losses of all processes."""
        self.replace(gather(self.sums()))

    def reset(self) -> None:
        """Forgets all losses."""
        with _lock:
            self._pending.clear()
            self._totals.clear()
            self._counts.clear()
            self._compiled.clear()


def _dtype_of_sums(device: torch.device) -> torch.dtype:
    return torch.float32 if device.type == "mps" else torch.float64  # MPS has no float64
