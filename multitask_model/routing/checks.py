"""Checks of the components that a model is built from."""

import inspect
from typing import Collection, Iterable, Mapping

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.models.heads import Head
from allennlp.models.model import Model

from multitask_model.compat.allennlp_internals import regularizer
from multitask_model.errors import check_known, format_value
from multitask_model.routing.output_names import BACKBONE

RESERVED = {
    BACKBONE: "it is the name of the backbone",
    "reg": "its loss would be 'reg_loss', which the trainer uses for the regularization penalty",
    "batch": "its loss would be 'batch_loss', which the trainer uses for the loss of a batch",
    "batch_reg": "its loss would be 'batch_reg_loss', which the trainer uses for the "
    "regularization penalty",
}
"""Names that a head cannot have, and why."""


def make_module_dict(heads: Mapping[str, Head]) -> torch.nn.ModuleDict:
    """
    # Raises

    `ConfigurationError`
        If there are no heads, or a head has an invalid name.
    """
    if not hasattr(heads, "items"):
        raise ConfigurationError(
            "heads must be a dictionary from names to heads, but got a value of type "
            f"{type(heads).__name__}. Give each head a name."
        )
    if not heads:
        raise ConfigurationError(
            "heads must have at least one head, but got an empty mapping. Add a head."
        )
    modules = torch.nn.ModuleDict()
    for name, head in heads.items():
        add_module(modules, name, head)
    return modules


def add_module(modules: torch.nn.ModuleDict, name: str, head: Head) -> None:
    """
    # Raises

    `ConfigurationError`
        If the name is invalid, another head has it, or the head is no module.
    """
    check_type(f"heads[{name!r}]", head, torch.nn.Module, "a Head")
    try:
        if name in RESERVED:
            raise KeyError(RESERVED[name])
        if name in modules:
            raise KeyError("another head has this name")
        modules[name] = head
    except KeyError as error:
        raise ConfigurationError(
            f"The name of a head must be a valid name of a module, but got {name!r}: "
            f"{error.args[0]}. Choose another name for this head."
        ) from error


def check_type(parameter: str, value: object, type_: type, what: str) -> None:
    """
    # Raises

    `ConfigurationError`
        If the value of a parameter is not of the type. The message says that it must be `what`.
    """
    if not isinstance(value, type_):
        raise ConfigurationError(
            f"{parameter} must be {what}, but got {format_value(value)}. Outside of a config, "
            "build it by its constructor."
        )


def check_options(options: Iterable[str], class_: type) -> None:
    """
    Checks the keyword arguments that a model passes on to its base classes.

    # Raises

    `ConfigurationError`
        If one of them is not a parameter of the constructor of the class or one of its bases.
    """
    constructors = [vars(base)["__init__"] for base in class_.__mro__ if "__init__" in vars(base)]
    names = {name: None for c in constructors for name in inspect.signature(c).parameters}
    known = [name for name in names if name not in ("self", "args", "kwargs")]
    check_known("The options of a model", "parameters that it has", options, known)


def check_components(components: Collection[str], **parameters: Collection[str]) -> None:
    """
    # Raises

    `ConfigurationError`
        If one of the `parameters` has a key that is not the name of a component.
    """
    known = set(components)
    for parameter, keys in parameters.items():
        unknown = [key for key in keys if key not in known]
        check_known(parameter, "'backbone' or a head", unknown, components)


def may_have_penalty(module: torch.nn.Module) -> bool:
    """
    Whether the module may have a regularization penalty, which the trainer adds to the joint loss
    in place. `MultiTaskModel` itself only adds the penalties of its heads.
    """
    method = getattr(type(module), "get_regularization_penalty", None)
    is_ours = getattr(method, "__module__", "").startswith("multitask_model.")
    is_default = is_ours or method in (None, Model.get_regularization_penalty)
    return regularizer(module) is not None or not is_default
