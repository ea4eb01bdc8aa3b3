"""Checks of heads that do not fit the backbone or the vocabulary."""

from typing import List, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from torch.nn.parameter import is_lazy

from multitask_model.compat.allennlp_internals import label_namespace, reserved_tokens
from multitask_model.errors import format_names
from multitask_model.modules.label_vocabulary import LabelVocabulary
from multitask_model.routing.arguments import Router
from multitask_model.routing.signatures import unwrap

ENCODED_TEXT = "encoded_text"


def check_head(
    head: str, module: torch.nn.Module, router: Router, backbone: torch.nn.Module
) -> None:
    """
    Checks a head against the backbone, as far as both say their sizes, and against the vocabulary.

    # Parameters

    head : `str`
    module : `torch.nn.Module`
        The head. If it has a method `get_input_dim`, that is the size of its `encoded_text`.
    router : `Router`
        The router of the head.
    backbone : `torch.nn.Module`
        If it has a method `get_output_dim(name)`, that is the size of its output `name`.

    # Raises

    `ConfigurationError`
        If the sizes differ, or the head has no outputs because its namespace has no labels.
    """
    module = unwrap(module)
    expected = input_dim(module)
    names = [n for n, a in router.name_mapping.items() if a == ENCODED_TEXT] or [ENCODED_TEXT]
    for name in names if expected is not None and router.takes(names[0]) else ():
        given = _output_dim(unwrap(backbone), name)
        if given is not None and given != expected:
            raise ConfigurationError(
                f"The input_dim of the head {head!r} must be the size of the backbone's output "
                f"{name!r}, which is {given}, but got {expected}. Set it to {given}."
            )
    namespace, vocab = find_namespace(module), getattr(module, "vocab", None)
    if namespace is not None and isinstance(vocab, Vocabulary) and _has_empty_parameters(module):
        labels = labels_in(vocab, namespace)
        if not labels:
            raise ConfigurationError(
                f"The label_namespace of the head {head!r} must have labels in the vocabulary, but "
                f"got {namespace!r}, which has none. {namespace_advice(vocab)}"
            )


def find_namespace(head: torch.nn.Module) -> Optional[str]:
    """Returns the vocabulary namespace of the labels that a head predicts, or `None`."""
    return next(iter(find_namespaces(head)), None)


def find_namespaces(head: torch.nn.Module) -> List[str]:
    """Returns all of them. A head may have further ones, for labels that are its inputs."""
    of_modules = [m.namespace for m in head.modules() if isinstance(m, LabelVocabulary)]
    of_head = label_namespace(head)
    return of_modules if of_head is None else [*of_modules, of_head]


def labels_in(vocab: Vocabulary, namespace: str) -> List[str]:
    """Returns the labels in a namespace, without padding and OOV entries."""
    if namespace not in vocab.get_namespaces():
        return []
    reserved = reserved_tokens(vocab) if vocab.is_padded(namespace) else ()
    tokens = vocab.get_token_to_index_vocabulary(namespace)
    return [token for token in tokens if token not in reserved]


def input_dim(head: torch.nn.Module) -> Optional[int]:
    """The size of the encoded tokens that a head accepts, if it says so."""
    method = getattr(head, "get_input_dim", None)
    size = method() if callable(method) else None
    return size if isinstance(size, int) else None


def _output_dim(backbone: torch.nn.Module, name: str) -> Optional[int]:
    method = getattr(backbone, "get_output_dim", None)
    if not callable(method):
        return None
    try:
        size = method(name)
    except (ConfigurationError, KeyError, TypeError, ValueError):
        return None  # not an output of the backbone, or a backbone with one size for all
    return size if isinstance(size, int) else None


def _has_empty_parameters(module: torch.nn.Module) -> bool:
    return any(not is_lazy(p) and p.numel() == 0 for p in module.parameters())


def namespace_advice(vocab: Vocabulary) -> str:
    """What to do if the `label_namespace` of a head is not that of its labels."""
    known = sorted(name for name in vocab.get_namespaces() if labels_in(vocab, name))
    return (
        "Set label_namespace of the head to the namespace that the dataset reader writes its "
        f"labels to. The namespaces with entries are {format_names(known)}."
    )
