"""Inputs that several components share: copying them, and noticing that one was changed."""

import copy
import dataclasses
from collections import UserDict
from collections.abc import Mapping, MutableMapping
from typing import Callable, Dict, List, Sequence

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


def versions(tensors: Sequence[torch.Tensor]) -> List[int]:
    """Returns how often each tensor was changed, as PyTorch counts it."""
    try:
        return [tensor._version for tensor in tensors]
    except RuntimeError:  # PyTorch does not count changes of tensors made in `inference_mode`
        return [-1 if tensor.is_inference() else tensor._version for tensor in tensors]


def changed_in_place(component: str, arguments: Dict[str, object], before: List[int]) -> str:
    """Returns the error for a head that changed its arguments, which had the versions `before`."""
    tensors = {name: v for name, v in arguments.items() if isinstance(v, torch.Tensor)}
    after = versions(list(tensors.values()))
    changed = [repr(name) for name, one, other in zip(tensors, before, after) if one != other]
    return (
        "A head must not change its arguments in place, because the batch and other heads share "
        f"them, but {component!r} changed {', '.join(changed)}. Change a copy in forward(), or let "
        f"the model copy the inputs of this head: copy_inputs=[{component!r}]."
    )
