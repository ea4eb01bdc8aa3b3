"""Values that only some rows of a batch have, and heads whose rows only partly have one."""

from collections.abc import Mapping as MappingType
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence, Tuple

import torch

from multitask_model.routing.rows import AllRows, group_rows, select_rows


class Partial(NamedTuple):
    """
    A field, or an output, of some rows only. A named tuple, because that is what AllenNLP's
    `move_to_device` and everything else that walks through a batch or copies one can handle.

    # Parameters

    value : `Any`
        As if it were that of a batch of those rows alone.
    rows : `Tuple[int, ...]`
        The rows that have it, in rising order.
    """

    value: Any
    rows: Tuple[int, ...]

    def take(self, indices: Sequence[int]) -> Any:
        """The value for `indices`, all of which must be among `rows`."""
        position = {row: i for i, row in enumerate(self.rows)}
        return select_rows([position[i] for i in indices], len(self.rows)).take(self.value)


def has_partial(batch: Mapping[str, Any]) -> bool:
    """Whether some field is of some rows only."""
    return Partial in map(type, batch.values())


class HeadCall(NamedTuple):
    """One call of a head: some of its rows, all of which have the same fields."""

    positions: Sequence[int]
    """Where the rows of this call stand among the rows of the head."""
    arguments: Dict[str, Any]


def split_by_fields(
    router: Any, available: Mapping[str, Any], rows: AllRows, batch_size: int
) -> List[HeadCall]:
    """
    The calls of a head: one for all of its rows that have the same fields.

    # Parameters

    router : `Router`
        That of the head.
    available : `Mapping[str, Any]`
        Some of the values are `Partial`.
    rows : `AllRows`
        The rows of the head.
    batch_size : `int`
    """
    whole = [name for name, value in available.items() if not _is_partial(value)]
    # `heads` says which rows these are; it does not tell them apart.
    partial = {
        name: set(value.rows)
        for name, value in router.select(available).items()
        if _is_partial(value) and name != "heads"
    }
    having = [tuple(name for name in partial if i in partial[name]) for i in rows.indices]
    parts = []
    for keys, positions in group_rows(having).items():
        indices = [rows.indices[position] for position in positions]
        taken = rows if len(indices) == len(rows.indices) else select_rows(indices, batch_size)
        try:
            # What other rows of the batch have is neither missing nor a duplicate here.
            plan = router.bind((*whole, *keys))
        except ValueError as error:
            raise ValueError(
                f"For {len(indices)} of its {len(rows.indices)} rows, {error}"
            ) from error
        arguments = {
            argument: available[name].take(indices) if name in keys else taken.take(available[name])
            for argument, name in plan.items()
        }
        parts.append(HeadCall(positions, arguments))
    return parts


def _is_partial(value: Any) -> bool:
    return isinstance(value, Partial)


def merge_outputs(
    head: str, parts: Sequence[HeadCall], outputs: Sequence[Mapping[str, Any]]
) -> Dict[str, Any]:
    """
    The outputs of several calls of a head as if it had been one, rows in their order. A number,
    such as the loss, is the mean over the calls that gave it, each weighed by its rows. What only
    some calls gave is `Partial`.

    # Raises

    `ValueError`
        If an output is neither a number nor has one row per instance.
    """
    if len(parts) == 1:
        return dict(outputs[0])
    merged: Dict[str, Any] = {}
    for key in dict.fromkeys(key for output in outputs for key in output):
        given = [(p.positions, o[key]) for p, o in zip(parts, outputs) if o.get(key) is not None]
        if given:
            merged[key] = _merge(head, key, given, sum(len(part.positions) for part in parts))
    return merged


def _merge(head: str, key: str, given: List[Tuple[Sequence[int], Any]], count: int) -> Any:
    if all(_is_number(key, value) for _, value in given):
        rows = sum(len(positions) for positions, _ in given)
        return sum(len(positions) / rows * _scalar(value) for positions, value in given)
    if all(isinstance(value, MappingType) for _, value in given):
        names = dict.fromkeys(name for _, value in given for name in value)
        of_name = {n: [(p, value[n]) for p, value in given if n in value] for n in names}
        return {n: _merge(head, f"{key}.{n}", values, count) for n, values in of_name.items()}
    if not all(_has_rows(value, len(positions)) for positions, value in given):
        raise ValueError(
            f"Only some of the rows of {head!r} have all of its fields, so it is called once for "
            "each kind, and each of its outputs must be a number or have one row per instance, "
            f"but {key!r} is neither. Change that output, or name the heads of each instance in a "
            "'heads' field."
        )
    positions = [position for part, _ in given for position in part]
    order = sorted(range(len(positions)), key=positions.__getitem__)
    value = _in_order([value for _, value in given], order)
    return value if len(positions) == count else Partial(value, tuple(sorted(positions)))


def _has_rows(value: Any, count: int) -> bool:
    if isinstance(value, (str, bytes)) or not hasattr(value, "__len__"):
        return False
    return getattr(value, "ndim", 1) > 0 and len(value) == count


def _in_order(values: List[Any], order: List[int]) -> Any:
    alike = len({tuple(v.shape[1:]) if isinstance(v, torch.Tensor) else None for v in values}) == 1
    if alike and isinstance(values[0], torch.Tensor):
        # Shape: (rows of all calls, ...)
        joined = torch.cat(values)
        return joined.index_select(0, torch.tensor(order, device=joined.device))
    items = [item for value in values for item in value]
    return [items[i] for i in order]


def _is_number(key: str, value: Any) -> bool:
    if not isinstance(value, torch.Tensor):
        return isinstance(value, (int, float))
    # Of shape [1] only a loss is a number: anything else may be the output for one row.
    return value.dim() == 0 or (key == "loss" and value.shape == (1,))


def _scalar(value: Any) -> Any:
    return value.reshape(()) if isinstance(value, torch.Tensor) else value
