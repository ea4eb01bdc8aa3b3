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
    Whether a tensor is inside a transform of `torch.func`, or forward-mode differentiation is on.
    There is no public way to ask. An autograd function for the backward pass alone fails there.
    """
    functorch = getattr(torch._C, "_functorch", None)  # PyTorch 1 has none
    if functorch is not None and functorch.is_functorch_wrapped_tensor(tensor):
        return True
    return torch.autograd.forward_ad._current_level >= 0
