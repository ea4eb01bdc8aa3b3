"""The shapes of the tensors in a value."""

import dataclasses
from typing import Dict, Mapping

import torch

from multitask_model.commands.description.data import Sizes
from multitask_model.routing.partial import Partial, Whole


def shapes_of(value: object) -> Sizes:
    """
    Returns the shape of each tensor in a value, by its path.

        >>> import torch
        >>> shapes_of({"tokens": {"ids": torch.zeros(2, 5), "mask": torch.ones(2, 5)}})
        {'tokens.ids': [2, 5], 'tokens.mask': [2, 5]}
        >>> shapes_of(torch.zeros(3))
        {'': [3]}
    """
    if isinstance(value, torch.Tensor):
        return {"": list(value.shape)}
    shapes: Sizes = {}
    for name, item in _items(value).items():
        for path, shape in shapes_of(item).items():
            shapes[f"{name}.{path}" if path else name] = shape
    return shapes


def _items(value: object) -> Dict[str, object]:
    if isinstance(value, (Partial, Whole)):
        return {"": value.value}
    if isinstance(value, Mapping):
        return {str(name): item for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return {str(position): item for position, item in enumerate(value)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    return {}
