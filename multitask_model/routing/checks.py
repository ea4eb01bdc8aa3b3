"""What a model has to know about its parts: names of heads, penalties, kinds of inputs."""

from typing import Any, Collection, Dict, Hashable, Mapping

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.models.heads import Head
from allennlp.models.model import Model

from multitask_model.errors import check_known
from multitask_model.routing.outputs import BACKBONE

RESERVED = {
    BACKBONE: "that is the name of the backbone",
    "reg": "its loss would be 'reg_loss', which is what the trainer calls the penalty",
}


def as_module_dict(heads: Mapping[str, Head]) -> torch.nn.ModuleDict:
    """
    # Raises

    `ConfigurationError`
        If there are no heads, or a head has a name that cannot be used.
    """
    if not heads:
        raise ConfigurationError("heads must have at least one head, but it is empty. Add a head.")
    modules = torch.nn.ModuleDict()
    for name, head in heads.items():
        put_head(modules, name, head)
    return modules


def put_head(modules: torch.nn.ModuleDict, name: str, head: Head) -> None:
    """
    # Raises

    `ConfigurationError`
        If the name is taken or cannot be used.
    """
    try:
        if name in RESERVED:
            raise KeyError(RESERVED[name])
        if name in modules:
            raise KeyError("there is a head of that name")
        modules[name] = head
    except KeyError as error:
        raise ConfigurationError(
            f"The name of a head must be a valid name of a module, but {name!r} cannot be used: "
            f"{error.args[0]}. Choose another name for this head."
        ) from error


def check_components(components: Collection[str], **parameters: Collection[str]) -> None:
    """
    # Raises

    `ConfigurationError`
        If one of the `parameters` has a key that is not the name of a component.
    """
    for parameter, keys in parameters.items():
        check_known(parameter, "'backbone' or a head", keys, components)


def has_penalty(module: torch.nn.Module) -> bool:
    """Whether there may be a penalty, which the trainer adds to the joint loss in place."""
    method: Any = getattr(type(module), "get_regularization_penalty", None)
    # Ours only adds up those of the heads.
    is_ours = getattr(method, "__module__", "").startswith("multitask_model.")
    is_plain = is_ours or method in (None, Model.get_regularization_penalty)
    return getattr(module, "_regularizer", None) is not None or not is_plain


def kind_of_input(fields: Dict[str, Any]) -> Hashable:
    """Equal for fields that a backbone can take in one batch."""
    return frozenset(
        (name, type(field), _kind_of_indexers(field)) for name, field in fields.items()
    )


def _kind_of_indexers(field: Any) -> Hashable:
    indexers = getattr(field, "_token_indexers", None) or {}
    return frozenset((name, type(indexer)) for name, indexer in indexers.items())
