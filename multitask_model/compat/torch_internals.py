"""
Every access to a private attribute of PyTorch in this package, one function each with the reason
for it.
"""

import torch


def share_parameters(copy: torch.nn.Module, original: torch.nn.Module) -> None:
    """
    Makes a copy of a module use the parameters and buffers of the original. Sharing the tensors
    alone would not be enough: moving a module to another device replaces the buffers in its
    dictionaries.
    """
    for module, source in zip(copy.modules(), original.modules()):
        module._parameters, module._buffers = source._parameters, source._buffers


def is_unsaved_buffer(module: torch.nn.Module, name: str) -> bool:
    """Whether the module has a buffer of this name that is not part of its state dict."""
    return name in getattr(module, "_non_persistent_buffers_set", ())


def is_transformed(tensor: torch.Tensor) -> bool:
    """
    Whether the tensor only exists inside a transform such as `torch.func.grad` or `vmap`. It must
    not be stored, because it is invalid after the transform.
    """
    functorch = getattr(torch._C, "_functorch", None)
    is_wrapped = getattr(functorch, "is_functorch_wrapped_tensor", None)  # PyTorch 1 has none
    return is_wrapped is not None and bool(is_wrapped(tensor))
