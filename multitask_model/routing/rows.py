"""Selecting rows of a batch from values of any type."""

import copy
import dataclasses
from collections import UserDict, defaultdict
from collections.abc import Mapping, MutableMapping
from collections.abc import Sequence as SequenceType
from typing import (
    Callable,
    Collection,
    DefaultDict,
    Dict,
    Hashable,
    List,
    Optional,
    Sequence,
    Tuple,
    TypeVar,
)

import numpy
import torch
from torch.nn.utils.rnn import PackedSequence

from multitask_model.compat.torch_internals import is_compiling, is_transformed
from multitask_model.routing.partial import Partial, Whole

_Key = TypeVar("_Key", bound=Hashable)


class RowGatherer:
    """
    Gathers the rows of all heads of a batch at once: the first head that takes a tensor gathers it
    for the others. Then the backward pass adds the gradients of all heads to one tensor of the
    shape of the batch. With an `index_select` for each head, PyTorch would allocate and add such a
    tensor for every head.

        >>> gatherer = RowGatherer([[0, 2], [1, 2]])
        >>> gatherer.take(torch.tensor([5, 6, 7]), group=0)
        tensor([5, 7])

    # Parameters

    groups : `Collection[Sequence[int]]`
        The row groups of the batch: heads with the same rows have one group.
    """

    def __init__(self, groups: Collection[Sequence[int]]) -> None:
        self._sizes = [len(rows) for rows in groups]
        self._rows = [row for rows in groups for row in rows]
        self._indices: Dict[torch.device, torch.Tensor] = {}
        self._gathered: Dict[int, Tuple[torch.Tensor, Sequence[torch.Tensor]]] = {}

    def take(self, tensor: torch.Tensor, group: int) -> torch.Tensor:
        """
        Returns the rows of a group. Shape: (B, ...) -> (rows, ...), contiguous, since heads and
        metrics call `.view`.
        """
        gathered = self._gathered.get(id(tensor))
        if gathered is None:
            if not _can_be_shared(tensor):
                index = self._index(tensor.device).split(self._sizes)[group]
                return tensor.index_select(0, index)
            # Holding the tensor keeps its id from being reused.
            gathered = self._gathered[id(tensor)] = (tensor, self._gather(tensor))
        return gathered[1][group]

    def _gather(self, tensor: torch.Tensor) -> Sequence[torch.Tensor]:
        """The rows of each group."""
        # A copy, also if the rows of all heads follow each other: what a head returns of it can be
        # changed without changing the batch, or what the backbone keeps for its backward pass.
        taken = tensor.index_select(0, self._index(tensor.device))
        # As no parts overlap, a change of one in place is reported like that of any other input.
        # PyTorch would report that of a part of `split` in its own words, but `vmap` has no other,
        # and the compiler knows neither changes nor `is_transformed`.
        is_special = is_compiling() or is_transformed(tensor)
        split = taken.split if is_special else taken.unsafe_split_with_sizes
        parts: Sequence[torch.Tensor] = split(self._sizes)
        return parts

    def _index(self, device: torch.device) -> torch.Tensor:
        """The rows of all groups, one group after another."""
        index = self._indices.get(device)
        if index is None:
            # Not by `torch.tensor`, which takes four times as long and uses the default device.
            # That need not be the device of the batch.
            index = torch.from_numpy(numpy.array(self._rows, dtype=numpy.int64))
            if device.type == "cuda":
                # From pinned memory the copy does not block.
                index = index.pin_memory()
            index = self._indices[device] = index.to(device, non_blocking=True)
        return index


def _can_be_shared(tensor: torch.Tensor) -> bool:
    """Whether one gathered tensor can serve all heads."""
    if tensor.layout != torch.strided:  # sparse tensors cannot be split
        return False
    # PyTorch counts no changes in inference mode, so one of a head would not be noticed.
    return is_compiling() or not torch.is_inference_mode_enabled()


def select_all(
    values: Mapping[str, object], binding: Mapping[str, str]
) -> Optional[Dict[str, object]]:
    """
    Returns each value that is bound to an argument, by argument. A list is copied, so that a
    component can sort or extend it. `None` if only some rows have one of the values.
    """
    selected: Dict[str, object] = {}
    for argument, name in binding.items():
        value = values[name]
        kind = type(value)
        if kind is list:
            value = list(value)  # type: ignore[call-overload]
        elif kind is Whole:
            value = value.value  # type: ignore[attr-defined]
        elif kind is Partial:
            return None
        selected[argument] = value
    return selected


class AllRows:
    """
    The rows of a head that gets the whole batch: every value is passed through as it is.

        >>> rows = AllRows(2)
        >>> list(rows.indices), rows.take(["a", "b"])
        ([0, 1], ['a', 'b'])

    # Parameters

    batch_size : `int`
    """

    # One is made in each step. Without a `__dict__`, that takes half the time.
    __slots__ = ("batch_size",)

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size

    @property
    def indices(self) -> Sequence[int]:
        """The rows, in ascending order."""
        return range(self.batch_size)

    def __len__(self) -> int:
        return self.batch_size

    def take(self, value: object) -> object:
        """Returns the rows of `value`, here `value` itself."""
        return value

    # Without a method that calls the function, which shows in a step of a light model.
    select = staticmethod(select_all)


class Rows(AllRows):
    """
    The rows of a head that gets part of the batch. Values are never changed.

        >>> rows = Rows([0, 2], 3, RowGatherer([[0, 2]]), group=0)
        >>> rows.take({"id": ["a", "b", "c"], "label": torch.tensor([4, 1, 3]), "language": "en"})
        {'id': ['a', 'c'], 'label': tensor([4, 3]), 'language': 'en'}

    # Parameters

    indices : `Sequence[int]`
        At least one row, in ascending order.
    batch_size : `int`
        The number of rows of the batch, B.
    gatherer : `RowGatherer`
        Gathers the rows of all heads of the batch.
    group : `int`
        The number of these rows among the row groups of the `gatherer`.
    """

    def __init__(
        self, indices: Sequence[int], batch_size: int, gatherer: RowGatherer, group: int
    ) -> None:
        super().__init__(batch_size)
        self._indices = indices
        self._gatherer = gatherer
        self._group = group

    @property
    def indices(self) -> Sequence[int]:
        """The rows, in ascending order."""
        return self._indices

    def __len__(self) -> int:
        return len(self._indices)

    def take(self, value: object) -> object:
        """
        Returns the rows of every tensor, array and sequence in `value` whose first dimension or
        length is B, at any depth of dictionaries, lists, tuples, named tuples and dataclasses.
        Scalars, `None`, strings, 0-dim tensors and values of another length are returned whole.

        A list or tuple of length B has one item per row, as metadata does. An exception are B
        tensors with B rows each, or B tuples of such tensors: these are the layers of a network in
        a batch of the same size, and the rows of each layer are returned. A value that has length B
        by coincidence must be marked: see `Whole`.

        # Raises

        `ValueError`
            If the rows of the value cannot be taken, as of a `PackedSequence`.
        """
        if isinstance(value, torch.Tensor) and not value.is_nested:
            if not value.dim() or value.shape[0] != self.batch_size:
                return value
            return self._gatherer.take(value, self._group)
        if isinstance(value, Whole):
            return value.value
        if is_inseparable(value):
            raise ValueError(
                "The values that heads take in mixed batches must be tensors, or containers of "
                f"tensors, with one row per instance, but got a {type(value).__name__}, whose rows "
                "cannot be taken. Return a padded tensor, or wrap the value in Whole(...), so that "
                "heads get it as it is."
            )
        if isinstance(value, Mapping):
            return self._take_mapping(value)
        if isinstance(value, numpy.ndarray):
            has_rows = value.ndim > 0 and value.shape[0] == self.batch_size
            return value[list(self.indices)] if has_rows else value
        if isinstance(value, SequenceType) and not isinstance(value, (str, bytes)):
            return self._take_sequence(value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self._take_dataclass(value)
        return value

    def select(
        self, values: Mapping[str, object], binding: Mapping[str, str]
    ) -> Optional[Dict[str, object]]:
        """
        Returns the rows of each value that is bound to an argument, by argument. `None` if only
        some rows have one of the values.
        """
        selected: Dict[str, object] = {}
        for argument, name in binding.items():
            value = values[name]
            if type(value) is Partial:
                return None
            selected[argument] = self.take(value)
        return selected

    def _is_layer(self, value: object) -> bool:
        """Whether the value is a tensor of shape (B, ...), or a tuple or list of such tensors."""
        if isinstance(value, torch.Tensor):
            return value.dim() > 0 and value.shape[0] == self.batch_size
        return isinstance(value, (tuple, list)) and bool(value) and all(map(self._is_layer, value))

    def _take_mapping(self, mapping: Mapping[str, object]) -> Mapping[str, object]:
        taken = {key: self.take(value) for key, value in mapping.items()}
        if type(mapping) is dict or not isinstance(mapping, (dict, UserDict)):
            return taken
        # A shallow copy of these two is known not to share its storage with the original.
        copied: MutableMapping[str, object] = copy.copy(mapping)
        for key, value in taken.items():
            copied[key] = value
        return copied

    def _take_sequence(self, sequence: Sequence[object]) -> Sequence[object]:
        if isinstance(sequence, tuple) and hasattr(sequence, "_fields"):
            rebuild: Callable[..., Sequence[object]] = type(sequence)
            return rebuild(*map(self.take, sequence))
        is_tuple = isinstance(sequence, tuple)
        if len(sequence) == self.batch_size and not all(map(self._is_layer, sequence)):
            items = [sequence[i] for i in self.indices]
            return tuple(items) if is_tuple else items
        items = [self.take(item) for item in sequence]
        if all(new is old for new, old in zip(items, sequence)):
            return sequence
        return tuple(items) if is_tuple else items

    def _take_dataclass(self, instance: object) -> object:
        taken = copy.copy(instance)
        for field in dataclasses.fields(instance):  # type: ignore[arg-type]
            # A frozen dataclass refuses `setattr`.
            object.__setattr__(taken, field.name, self.take(getattr(instance, field.name)))
        return taken


def is_inseparable(value: object) -> bool:
    """Whether the rows of a value cannot be taken: packed or nested tensors, and caches."""
    if isinstance(value, torch.Tensor):
        return value.is_nested
    return isinstance(value, PackedSequence) or hasattr(value, "get_seq_length")


def check_rows(available: Mapping[str, object], rows: Mapping[str, AllRows]) -> None:
    """
    # Parameters

    available : `Mapping[str, object]`
        The fields of the batch and the outputs of the backbone.
    rows : `Mapping[str, AllRows]`
        The rows of each head.

    # Raises

    `ValueError`
        If a head gets only part of the batch, and none of its tensors or other values has as many
        rows as there are tasks: every head would get all rows.
    """
    batch_size = next((r.batch_size for r in rows.values() if len(r) < r.batch_size), None)
    if batch_size is None:
        return
    for name, value in available.items():
        if name not in ("task", "heads") and _may_have_rows(value, batch_size):
            return
    tensors = {name: v for name, v in available.items() if isinstance(v, torch.Tensor) and v.dim()}
    if not tensors:
        return
    shapes = {name: list(tensor.shape) for name, tensor in tensors.items()}
    raise ValueError(
        f"'task' must have one name for each instance, but got {batch_size} names, and no other "
        f"value of the batch or output of the backbone has {batch_size} rows. The shapes of the "
        f"tensors are {shapes}. Give 'task' the length of the batch."
    )


def _may_have_rows(value: object, batch_size: int) -> bool:
    if isinstance(value, (Partial, Whole)) or is_inseparable(value):
        return True  # tells its rows itself
    if isinstance(value, (torch.Tensor, numpy.ndarray)):
        return value.ndim > 0 and value.shape[0] == batch_size
    if isinstance(value, Mapping):
        return any(_may_have_rows(item, batch_size) for item in value.values())
    if isinstance(value, (list, tuple)):
        return len(value) == batch_size or any(_may_have_rows(item, batch_size) for item in value)
    return not isinstance(value, (str, bytes, int, float, type(None)))


def group_rows(keys: Sequence[_Key]) -> Dict[_Key, List[int]]:
    """Returns the rows of each key in ascending order, by key in order of first appearance."""
    groups: DefaultDict[_Key, List[int]] = defaultdict(list)
    for row, key in enumerate(keys):
        groups[key].append(row)
    return dict(groups)


def select_rows(indices: Sequence[int], batch_size: int) -> AllRows:
    """Returns the given rows as the only row group of a batch."""
    if len(indices) == batch_size:
        return AllRows(batch_size)
    return Rows(indices, batch_size, RowGatherer([indices]), 0)


def take_partial(partial: Partial, indices: Sequence[int]) -> object:
    """Returns the value of the rows `indices`, all of which must have it."""
    position = {row: i for i, row in enumerate(partial.rows)}
    rows = select_rows([position[i] for i in indices], len(partial.rows))
    return rows.take(partial.value)
