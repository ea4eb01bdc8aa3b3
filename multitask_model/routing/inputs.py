"""Inputs that several components share: copying them, and noticing that one was changed."""

import copy
import dataclasses
from collections import UserDict
from collections.abc import MutableMapping
from operator import attrgetter
from typing import Callable, Dict, List, Mapping

import numpy
import torch


def works_in_place(module: torch.nn.Module) -> bool:
    """Whether the module contains one that works in place, such as `ReLU(inplace=True)`."""
    return any(getattr(child, "inplace", False) is True for child in module.modules())


def copy_input(value: object) -> object:
    """Copies all tensors, arrays and containers in a value."""
    if isinstance(value, torch.Tensor):
        return value.clone()
    if isinstance(value, numpy.ndarray):
        return value.copy()
    if isinstance(value, Mapping):
        items = {key: copy_input(item) for key, item in value.items()}
        if type(value) is dict or not isinstance(value, (dict, UserDict)):
            return items
        mapping: MutableMapping[object, object] = copy.copy(value)  # keeps its class
        for key, item in items.items():
            mapping[key] = item
        return mapping
    if isinstance(value, tuple):
        copies = [copy_input(item) for item in value]
        rebuild: Callable[..., object] = type(value)
        return rebuild(*copies) if hasattr(value, "_fields") else tuple(copies)
    if isinstance(value, list):
        return [copy_input(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        copied = copy.copy(value)
        for field in dataclasses.fields(value):
            # A frozen dataclass refuses `setattr`.
            object.__setattr__(copied, field.name, copy_input(getattr(value, field.name)))
        return copied
    return value


def map_tensors(function: Callable[[torch.Tensor], torch.Tensor], value: object) -> object:
    """Applies a function to all tensors in a value, also in dictionaries, lists and tuples."""
    if isinstance(value, torch.Tensor):
        return function(value)
    if isinstance(value, Mapping):
        return {key: map_tensors(function, item) for key, item in value.items()}
    if isinstance(value, tuple):
        items = [map_tensors(function, item) for item in value]
        rebuild: Callable[..., object] = type(value)
        return rebuild(*items) if hasattr(value, "_fields") else tuple(items)
    if isinstance(value, list):
        return [map_tensors(function, item) for item in value]
    return value


version_of = attrgetter("_version")
"""How often a tensor was changed, as PyTorch counts it."""


def versions(arguments: Mapping[str, object]) -> List[int]:
    """Returns how often each tensor among the arguments was changed, as PyTorch counts it."""
    try:
        return list(map(version_of, arguments.values()))  # the fast path: tensors only
    except (AttributeError, RuntimeError):
        return [
            # PyTorch does not count changes of tensors made in `inference_mode`.
            -1 if not isinstance(value, torch.Tensor) or value.is_inference() else value._version
            for value in arguments.values()
        ]


def changed_in_place(component: str, arguments: Dict[str, object], before: List[int]) -> str:
    """Returns the error for a head that changed its arguments, which had the versions `before`."""
    after = versions(arguments)
    changed = [repr(name) for name, one, other in zip(arguments, before, after) if one != other]
    return (
        "A head must not change its arguments in place, because the batch and other heads share "
        f"them, but {component!r} changed {', '.join(changed)}. Change a copy in forward(), or let "
        f"the model copy the inputs of this head: copy_inputs=[{component!r}]."
    )
