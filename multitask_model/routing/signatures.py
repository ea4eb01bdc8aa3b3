"""The arguments that a module's `forward` takes."""

import inspect
from typing import List, Set, cast

import torch
from allennlp.models.heads import Head
from allennlp.models.model import Model
from allennlp.modules.backbones.backbone import Backbone

VARIADIC = frozenset({inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD})
_WRAPPED_ATTRIBUTES = ("module", "_orig_mod", "_checkpoint_wrapped_module")


def get_forward_arguments(module: torch.nn.Module) -> Set[str]:
    """
    Returns the names of the arguments that `module.forward` takes.

    This is where routing starts: a component gets the fields of a batch, and a head also the
    backbone's outputs, whose names are among these arguments. `*args` and `**kwargs` have no names.

        >>> import torch
        >>> class Encoder(torch.nn.Module):
        ...     def forward(self, text, mask=None): ...
        >>> sorted(get_forward_arguments(Encoder()))
        ['mask', 'text']

    # Parameters

    module : `torch.nn.Module`
        A backbone or a head. A wrapper such as `DistributedDataParallel` is inspected at the module
        that it wraps, a traced or scripted module at its TorchScript schema.

    # Returns

    `Set[str]`
    """
    return {p.name for p in forward_parameters(module) if p.kind not in VARIADIC}


def forward_parameters(module: torch.nn.Module) -> List[inspect.Parameter]:
    """Returns the parameters of `module.forward`, without `self`."""
    module = unwrap(module)
    signature = _signature(module)
    if _is_variadic(signature) and type(module).forward is not torch.nn.Module.forward:
        # Activation checkpointing replaces `forward` on the instance, but not on the class.
        of_class = inspect.signature(type(module).forward)
        return list(of_class.parameters.values())[1:]
    return [parameter for parameter in signature.parameters.values() if parameter.name != "self"]


def unwrap(module: torch.nn.Module) -> torch.nn.Module:
    """
    Returns the module inside `DistributedDataParallel`, `torch.compile` or a FairScale wrapper:
    anything whose `forward` is `forward(*args, **kwargs)` around a wrapped module. Any other module
    is returned unchanged.
    """
    is_component = isinstance(module, (Model, Backbone))
    if not is_component and _is_variadic(_signature(module)):
        for attribute in _WRAPPED_ATTRIBUTES:
            inner = getattr(module, attribute, None)
            if isinstance(inner, torch.nn.Module):
                return unwrap(inner)
    return module


def unwrap_head(head: torch.nn.Module) -> Head:
    """Returns the head inside a wrapper. Any other head is returned unchanged."""
    return head if isinstance(head, Head) else cast(Head, unwrap(head))


def _signature(module: torch.nn.Module) -> inspect.Signature:
    """Returns the signature of `module.forward`, also of a traced or scripted module."""
    schema = getattr(module.forward, "schema", None)
    if isinstance(schema, torch._C.FunctionSchema):
        # The first argument is the module. TorchScript stores names and defaults here only.
        return inspect.Signature([_parameter(argument) for argument in schema.arguments[1:]])
    return inspect.signature(module.forward)


def _parameter(argument: torch.Argument) -> inspect.Parameter:
    default = argument.default_value if argument.has_default_value() else inspect.Parameter.empty
    return inspect.Parameter(argument.name, inspect.Parameter.KEYWORD_ONLY, default=default)


def _is_variadic(signature: inspect.Signature) -> bool:
    return {parameter.kind for parameter in signature.parameters.values()} == VARIADIC
