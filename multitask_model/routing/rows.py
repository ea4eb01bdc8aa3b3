"""Taking rows of a batch out of any value."""

import copy
import dataclasses
from collections import UserDict
from collections.abc import Mapping
from collections.abc import Sequence as SequenceType
from typing import Any, Collection, Dict, Hashable, List, Optional, Sequence, Tuple

import numpy
import torch


class GatherRows(torch.autograd.Function):
    """
    The rows of every head of one tensor, each a tensor of its own. In PyTorch's own gradient of
    `index_select`, each head would fill and add up a tensor as large as the whole batch; this fills
    one for all heads.
    """

    @staticmethod
    def forward(ctx: Any, tensor: torch.Tensor, *indices: torch.Tensor) -> Any:
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*indices)
        ctx.shape = tensor.shape
        return tuple(tensor.index_select(0, index) for index in indices)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        total = None
        for index, gradient in zip(ctx.saved_tensors, gradients):
            if gradient is not None:
                total = gradient.new_zeros(ctx.shape) if total is None else total
                total.index_add_(0, index, gradient)
        return (total, *[None] * len(gradients))


class RowGatherer:
    """
    Shares the rows of a batch out to its heads: a tensor with a gradient once, for all of them.

    # Parameters

    groups : `Collection[Sequence[int]]`
        The rows of each head; heads with the same rows have one group.
    """

    def __init__(self, groups: Collection[Sequence[int]]) -> None:
        self._groups = groups
        self._indices: Dict[torch.device, Sequence[torch.Tensor]] = {}
        self._scattered: Dict[int, Tuple[torch.Tensor, Sequence[torch.Tensor]]] = {}

    def take(self, tensor: torch.Tensor, number: int) -> torch.Tensor:
        """The rows of the group with that number. Shape: (B, ...) -> (rows, ...)"""
        indices = self._indices.get(tensor.device)
        if indices is None:
            indices = self._indices[tensor.device] = self._make_indices(tensor.device)
        if not (tensor.requires_grad and torch.is_grad_enabled()):
            return tensor.index_select(0, indices[number])
        if id(tensor) not in self._scattered:
            # The tensor itself is kept too, so that its id is not given to another one.
            self._scattered[id(tensor)] = (tensor, GatherRows.apply(tensor, *indices))
        return self._scattered[id(tensor)][1][number]

    def _make_indices(self, device: torch.device) -> Sequence[torch.Tensor]:
        index = torch.tensor([row for rows in self._groups for row in rows])
        if device.type == "cuda":
            # From pinned memory the copy does not wait for the device.
            index = index.pin_memory()
        index = index.to(device, non_blocking=True)
        return index.split([len(rows) for rows in self._groups])


class AllRows:
    """
    The rows of a head that gets the whole batch: what it takes is the value itself.

    # Parameters

    batch_size : `int`
    """

    def __init__(self, batch_size: int) -> None:
        self.indices: Sequence[int] = range(batch_size)

    def take(self, value: Any) -> Any:
        return value


class Rows(AllRows):
    """
    The rows of a head that gets some of the batch. What it takes, it leaves as it was: rows in one
    block are a slice, any others are an index.

    # Parameters

    indices : `Sequence[int]`
        The rows, in rising order; at least one.
    batch_size : `int`
        How many rows the batch has: B in the shapes below.
    shares : `RowGatherer`
        The rows of all heads of the batch, where these are group `number`.
    number : `int`
    """

    def __init__(
        self, indices: Sequence[int], batch_size: int, shares: RowGatherer, number: int
    ) -> None:
        self.indices = indices
        self._batch_size = batch_size
        first, end = indices[0], indices[-1] + 1
        self._block: Optional[slice] = slice(first, end) if end - first == len(indices) else None
        self._shares = shares
        self._number = number

    def take(self, value: Any) -> Any:
        """
        The rows of `value`: of every tensor, array and sequence in it whose first dimension or
        length is B, at any depth of dictionaries, lists, tuples, named tuples and dataclasses.
        Scalars, `None`, strings, 0-dim tensors and anything of another length pass whole.

        A list of length B holds one item per row, as metadata does. So does a tuple, unless every
        item of it is itself a tensor with B rows: those are the layers of a transformer in a batch
        that happens to be as large, and the rows are taken out of each.
        """
        if isinstance(value, torch.Tensor):
            if not value.dim() or value.shape[0] != self._batch_size:
                return value
            # Shape: (B, ...) -> (rows, ...), contiguous, since heads and metrics call `.view`
            if self._block is not None and value.layout == torch.strided:
                return value[self._block].contiguous()
            return self._shares.take(value, self._number)
        if isinstance(value, Mapping):
            return self._take_mapping(value)
        if isinstance(value, numpy.ndarray):
            has_rows = value.ndim > 0 and value.shape[0] == self._batch_size
            return value[self._block or list(self.indices)] if has_rows else value
        if isinstance(value, SequenceType) and not isinstance(value, (str, bytes)):
            return self._take_sequence(value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self._take_dataclass(value)
        return value

    def _has_rows(self, value: Any) -> bool:
        # Shape: (B, ...)
        is_tensor = isinstance(value, torch.Tensor)
        return is_tensor and value.dim() > 0 and value.shape[0] == self._batch_size

    def _take_mapping(self, mapping: Any) -> Any:
        taken = {key: self.take(value) for key, value in mapping.items()}
        if type(mapping) is dict or not isinstance(mapping, (dict, UserDict)):
            return taken
        # Only of these is it known that a copy does not share what it holds with the original.
        copied = copy.copy(mapping)
        for key, value in taken.items():
            copied[key] = value
        return copied

    def _take_sequence(self, sequence: Any) -> Any:
        if isinstance(sequence, tuple) and hasattr(sequence, "_fields"):
            return type(sequence)(*map(self.take, sequence))
        rebuild = tuple if isinstance(sequence, tuple) else list
        are_layers = rebuild is tuple and all(map(self._has_rows, sequence))
        if len(sequence) == self._batch_size and not are_layers:
            return rebuild(sequence[i] for i in self.indices)
        taken = rebuild(map(self.take, sequence))
        unchanged = all(new is old for new, old in zip(taken, sequence))
        return sequence if unchanged else taken

    def _take_dataclass(self, instance: Any) -> Any:
        taken = copy.copy(instance)
        for field in dataclasses.fields(instance):
            # Not `setattr`: a frozen dataclass refuses it.
            object.__setattr__(taken, field.name, self.take(getattr(instance, field.name)))
        return taken


def group_rows(keys: Sequence[Hashable]) -> Dict[Any, Sequence[int]]:
    """The rows at which each key stands, in rising order, by key in order of appearance."""
    groups: Dict[Any, List[int]] = {}
    for row, key in enumerate(keys):
        groups.setdefault(key, []).append(row)
    return dict(groups)


def select_rows(indices: Sequence[int], batch_size: int) -> AllRows:
    """The given rows, with nobody to share them with."""
    if len(indices) == batch_size:
        return AllRows(batch_size)
    return Rows(indices, batch_size, RowGatherer([indices]), 0)
