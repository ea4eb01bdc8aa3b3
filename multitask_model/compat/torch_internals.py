"""
Every access to a private attribute of PyTorch in this package, one function each with the reason
for it.
"""

from operator import attrgetter
from typing import Callable, Dict, List, Optional

import torch
import torch.distributed as dist
from torch.utils import _pytree

# PyTorch 1 has no compiler. `is_compiling` would take several times as long.
is_compiling: Callable[[], bool] = getattr(
    getattr(torch, "compiler", None), "is_dynamo_compiling", lambda: False
)

# PyTorch 1.12 has no `is_cpu`, which takes a fraction of the time of `device.type`.
is_on_cpu: Callable[[torch.Tensor], bool] = (
    attrgetter("is_cpu")
    if hasattr(torch.Tensor, "is_cpu")
    else lambda tensor: tensor.device.type == "cpu"
)


if dist.is_available() and hasattr(getattr(dist.distributed_c10d, "_world", None), "_default_pg"):
    _world = dist.distributed_c10d._world

    def has_process_group() -> bool:
        """
        Whether there is a default process group, as `is_initialized` says. That is several calls
        deep, which shows in a step of a light model.
        """
        return _world._default_pg is not None

elif dist.is_available():
    has_process_group = dist.is_initialized
else:

    def has_process_group() -> bool:
        """Without `torch.distributed` there is none."""
        return False


def boolean_buffers(module: torch.nn.Module) -> List[str]:
    """
    Returns the names of a module's Boolean buffers. As its `_ddp_params_and_buffers_to_ignore`,
    they are not sent to other processes by `DistributedDataParallel`, because `gloo` of PyTorch
    1.12 cannot send them. Such buffers are usually constants.
    """
    return [name for name, buffer in module.named_buffers() if buffer.dtype == torch.bool]


def mirror(copy: torch.nn.Module, original: torch.nn.Module) -> None:
    """
    Makes a copy of one module, without its children, follow the original: it gets the class (which
    parametrizations change), the parameters themselves, copies of the buffers, and the forward
    hooks (which weight normalization and pruning add).
    """
    copy.__class__ = original.__class__
    copy._parameters = original._parameters
    copy._buffers.clear()
    copy._buffers.update(
        {name: None if b is None else b.detach().clone() for name, b in original._buffers.items()}
    )
    own = vars(copy)
    for name, value in vars(original).items():
        if name.startswith(("_forward_hooks", "_forward_pre_hooks")):
            own[name] = value
    # An attribute would hide a parameter of the same name.
    for name in (*copy._parameters, *copy._buffers, *original._modules):
        own.pop(name, None)


def has_hooks(module: torch.nn.Module) -> bool:
    """Whether a call of the module does more than its `forward`."""
    kinds = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")
    return any(getattr(module, kind, None) for kind in kinds)


def map_as_dictionary(class_: type) -> None:
    """
    Lets PyTorch's functions for nested values, such as `tree_map`, look into a class of
    dictionaries, which are values without parts for them. They make a plain dictionary of one. What
    registers a class is public since PyTorch 2.2.
    """
    public = getattr(_pytree, "register_pytree_node", None)
    register: Callable[..., None] = public or _pytree._register_pytree_node
    register(
        class_,
        lambda values: (list(values.values()), list(values)),
        lambda values, names: dict(zip(names, values)),
    )


def set_children(module: torch.nn.Module, children: Dict[str, Optional[torch.nn.Module]]) -> None:
    """Replaces all children of a module, of any names, including `None`."""
    module._modules.clear()
    module._modules.update(children)


def children_of(module: torch.nn.Module) -> Dict[str, Optional[torch.nn.Module]]:
    """
    The children of a module by name. `named_children` leaves out those that are `None` and those
    that have a second name.
    """
    return dict(module._modules)


def modules_by_name(modules: torch.nn.ModuleDict) -> Dict[str, torch.nn.Module]:
    """
    The dictionary that a `ModuleDict` wraps, so changes of the one are changes of the other. It is
    read without a call of a Python function, which shows in a step of a light model.
    """
    return modules._modules


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
