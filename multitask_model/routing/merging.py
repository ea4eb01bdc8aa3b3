"""Merging the outputs of several calls of one head."""

from typing import Dict, List, Mapping, Sequence, Tuple, Union

import torch

from multitask_model.routing.partial import Partial, Whole

Given = Sequence[Tuple[Sequence[int], object]]
"""The value of an output in each call that returned it, and the positions of its rows."""


def merge_outputs(
    head: str, positions: Sequence[Sequence[int]], outputs: Sequence[Mapping[str, object]]
) -> Dict[str, object]:
    """
    Merges the outputs of several calls of a head into those of a single call.

    A number, such as the loss, becomes the mean over the calls that returned it, weighted by their
    rows. An output that only some calls returned becomes `Partial`.

    # Parameters

    head : `str`
    positions : `Sequence[Sequence[int]]`
        For each call, the positions of its rows among the rows of the head.
    outputs : `Sequence[Mapping[str, object]]`
        The outputs of each call.

    # Returns

    `Dict[str, object]`
        The merged outputs, with rows in the order of the head's rows.

    # Raises

    `ValueError`
        If an output is neither a number nor has one row per instance.
    """
    merged: Dict[str, object] = {}
    count = sum(map(len, positions))
    for key in dict.fromkeys(key for output in outputs for key in output):
        given = [(p, o[key]) for p, o in zip(positions, outputs) if o.get(key) is not None]
        if given:
            merged[key] = _merge(head, key, given, count)
    return merged


def _merge(head: str, key: str, given: Given, count: int) -> object:
    if all(_is_number(key, value) for _, value in given):
        return _weighted_mean(given)
    if all(isinstance(value, Whole) for _, value in given):
        return given[-1][1]  # it belongs to no row, so any call's will do
    mappings = [(p, value) for p, value in given if isinstance(value, Mapping)]
    if len(mappings) == len(given):
        names = dict.fromkeys(name for _, value in mappings for name in value)
        by_name = {n: [(p, value[n]) for p, value in mappings if n in value] for n in names}
        return {n: _merge(head, f"{key}.{n}", values, count) for n, values in by_name.items()}
    rows = [(p, value) for p, value in given if _has_rows(value, len(p))]
    if len(rows) < len(given):
        raise ValueError(
            f"{head!r} is called once for each set of fields that its instances have, so each of "
            "its outputs must be a number or have one row per instance, but got a "
            f"{type(given[0][1]).__name__} for {key!r} that is neither. Change that output, or set "
            "the heads of each instance in a 'heads' field."
        )
    positions = [position for part, _ in rows for position in part]
    order = sorted(range(len(positions)), key=positions.__getitem__)
    value = _concatenate([value for _, value in rows], order)
    return value if len(positions) == count else Partial(value, tuple(sorted(positions)))


def _is_number(key: str, value: object) -> bool:
    if not isinstance(value, torch.Tensor):
        return isinstance(value, (int, float))
    # Any other output of shape [1] may be the output of a single row.
    return value.dim() == 0 or (key == "loss" and value.shape == (1,))


def _weighted_mean(given: Given) -> Union[float, torch.Tensor]:
    rows = sum(len(positions) for positions, _ in given)
    total: Union[float, torch.Tensor] = 0.0
    for positions, value in given:
        number = value.reshape(()) if isinstance(value, torch.Tensor) else value
        assert isinstance(number, (int, float, torch.Tensor))
        total = total + len(positions) / rows * number
    return total


def _has_rows(value: object, count: int) -> bool:
    if isinstance(value, (str, bytes)) or not hasattr(value, "__len__"):
        return False
    return getattr(value, "ndim", 1) > 0 and len(value) == count


def _concatenate(values: List[object], order: List[int]) -> object:
    tensors = [value for value in values if isinstance(value, torch.Tensor)]
    if len(tensors) == len(values) and len({tuple(t.shape[1:]) for t in tensors}) == 1:
        # Shape: (rows of all calls, ...)
        joined = torch.cat(tensors)
        return joined.index_select(0, torch.tensor(order, device=joined.device))
    items = [item for value in values for item in value]  # type: ignore[attr-defined]
    return [items[i] for i in order]
