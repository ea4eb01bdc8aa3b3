"""Heads that do not fit the backbone or the vocabulary: checks, and explanations of errors."""

from typing import List, Mapping, NoReturn, Optional, Union

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from torch.nn.parameter import is_lazy

from multitask_model.compat.allennlp_internals import label_namespace, reserved_tokens
from multitask_model.errors import format_names
from multitask_model.modules.label_vocabulary import LabelVocabulary
from multitask_model.routing.arguments import Router
from multitask_model.routing.partial import Partial
from multitask_model.routing.rows import AllRows
from multitask_model.routing.signatures import unwrap

ENCODED_TEXT = "encoded_text"

_SIZE_ERRORS = (
    "shapes cannot be multiplied",
    "size mismatch",
    "must match the size of tensor",
    "must be equal to input_size",
    "normalized_shape",
    "Expected size",
    "mat1 and mat2 must have the same",
)
_LABEL_ERROR = "out of bounds"
_KERNEL_ERROR = "Kernel size can't be greater than actual input size"


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
    expected = _input_dim(module)
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
                f"got {namespace!r}, which has none. {_namespaces(vocab)}"
            )


def raise_head_error(
    head: str,
    module: torch.nn.Module,
    router: Router,
    available: Mapping[str, object],
    rows: AllRows,
    error: Union[RuntimeError, IndexError, ConfigurationError],
) -> NoReturn:
    """
    Raises an error of a head's `forward` again. If it is about sizes or labels, it is chained to
    an error of the same type that names the head, and the shapes or the labels.
    """
    if isinstance(error, ConfigurationError):
        raise ConfigurationError(f"In the head {head!r}: {error}") from error
    module = unwrap(module)
    message = None
    if type(error) in (RuntimeError, IndexError):
        shapes = _shapes(router, available, rows)
        if any(part in str(error) for part in _SIZE_ERRORS):
            message = _explain_sizes(head, module, shapes, error)
        elif _KERNEL_ERROR in str(error):
            message = _explain_kernels(head, module, shapes, error)
        elif _LABEL_ERROR in str(error):
            message = _explain_labels(head, module, error)
    if message is None:
        raise error
    raise type(error)(message) from error


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


def _input_dim(head: torch.nn.Module) -> Optional[int]:
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


def _shapes(router: Router, available: Mapping[str, object], rows: AllRows) -> str:
    """The names and shapes of the tensors that a head takes."""
    shapes = []
    for name, value in available.items():
        value = value.value if isinstance(value, Partial) else value
        if isinstance(value, torch.Tensor) and router.takes(name):
            # The first size is the number of instances, of which the head gets its own.
            size = [len(rows), *value.shape[1:]] if value.dim() else []
            shapes.append(f"{router.name_mapping.get(name, name)!r} of shape {size}")
    return ", ".join(shapes)


def _explain_sizes(head: str, module: torch.nn.Module, shapes: str, error: Exception) -> str:
    expected = _input_dim(module)
    known = "" if expected is None else f" Its input_dim is {expected}."
    return (
        f"The layers of the head {head!r} must fit the sizes of its arguments, but got {shapes}, "
        f"and PyTorch raised: {error}.{known} Set the head's input_dim, or that of its encoder, to "
        "the output size of the backbone."
    )


def _explain_kernels(
    head: str, module: torch.nn.Module, shapes: str, error: Exception
) -> Optional[str]:
    kernels = [max(m.kernel_size) for m in module.modules() if isinstance(m, torch.nn.Conv1d)]
    if not kernels:
        return None
    return (
        f"A batch of the head {head!r} must have a text of at least {max(kernels)} tokens, the "
        f"largest kernel of its convolutions, but got {shapes}, and PyTorch raised: {error}. Use "
        f"smaller kernels (ngram_filter_sizes) or, if no head labels tokens, pad the texts: set "
        f"token_min_padding_length to {max(kernels)} in the token_indexers of the dataset reader."
    )


def _explain_labels(head: str, module: torch.nn.Module, error: Exception) -> Optional[str]:
    namespace, vocab = find_namespace(module), getattr(module, "vocab", None)
    if namespace is None or not isinstance(vocab, Vocabulary):
        return None
    text = str(error).rstrip(".")
    return (
        f"The labels of the head {head!r} must be those of its namespace {namespace!r}, which are "
        f"{format_names(labels_in(vocab, namespace))}, but PyTorch raised: {text}. "
        f"{_namespaces(vocab)}"
    )


def _namespaces(vocab: Vocabulary) -> str:
    known = sorted(name for name in vocab.get_namespaces() if labels_in(vocab, name))
    return (
        "Set label_namespace of the head to the namespace that the dataset reader writes its "
        f"labels to. The namespaces with entries are {format_names(known)}."
    )
