"""Explanations of errors that a head's `forward` raises because it does not fit its arguments."""

import re
from typing import Mapping, NoReturn, Optional, Tuple, Union

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from multitask_model.errors import format_names
from multitask_model.routing.arguments import Router
from multitask_model.routing.fit_checks import (
    ENCODED_TEXT,
    find_namespace,
    input_dim,
    labels_in,
    namespace_advice,
)
from multitask_model.routing.partial import Partial
from multitask_model.routing.rows import AllRows
from multitask_model.routing.signatures import unwrap

# What PyTorch says in other cases too, such as "must have the same dtype", is left as it is.
_SIZE_ERRORS = (
    "shapes cannot be multiplied",
    "size mismatch",
    "must match the size of tensor",
    "must be equal to input_size",
    "normalized_shape",
    "Expected size",
)
_LABEL_ERROR = re.compile(r"Target (\d+) is out of bounds")
_KERNEL_ERROR = "Kernel size can't be greater than actual input size"

HeadError = Union[RuntimeError, IndexError, ConfigurationError]


def raise_head_error(
    head: str,
    module: torch.nn.Module,
    router: Router,
    available: Mapping[str, object],
    rows: AllRows,
    error: HeadError,
) -> NoReturn:
    """
    Raises an error of a head's `forward` again. If it is about sizes or labels, it is chained to
    an error of the same type that names the head, and the shapes or the labels.
    """
    if isinstance(error, ConfigurationError):
        raise ConfigurationError(f"In the head {head!r}: {error}") from error
    message = None
    if type(error) in (RuntimeError, IndexError):
        shapes = _shapes_of_arguments(router, available, rows)
        message = _explain(head, unwrap(module), shapes, str(error))
    if message is None:
        raise error
    raise type(error)(message) from error


def _explain(
    head: str, module: torch.nn.Module, shapes: Mapping[str, Tuple[int, ...]], error: str
) -> Optional[str]:
    found = ", ".join(f"{name!r} of shape {list(shape)}" for name, shape in shapes.items())
    if _LABEL_ERROR.search(error):
        return _explain_label(head, module, error.rstrip("."))
    if _KERNEL_ERROR in error:
        return _explain_kernels(head, module, found, error)
    if not any(part in error for part in _SIZE_ERRORS):
        return None
    return (
        f"The layers of the head {head!r} must fit the sizes of its arguments, but got {found}, "
        f"and PyTorch raised: {error}. {_size_advice(module, shapes.get(ENCODED_TEXT, ()))}"
    )


def _shapes_of_arguments(
    router: Router, available: Mapping[str, object], rows: AllRows
) -> Mapping[str, Tuple[int, ...]]:
    shapes = {}
    for name, value in available.items():
        value = value.value if isinstance(value, Partial) else value
        if isinstance(value, torch.Tensor) and router.takes(name):
            # The first size is the number of instances, of which the head gets its own.
            shape = (len(rows), *value.shape[1:]) if value.dim() else ()
            shapes[router.argument_of(name)] = shape
    return shapes


def _size_advice(module: torch.nn.Module, encoded_text: Tuple[int, ...]) -> str:
    expected = input_dim(module)
    if len(encoded_text) == 2:
        return "Use an embedder that returns a vector for each token, of shape (B, T, D)."
    if expected is not None and encoded_text[-1:] == (expected,):
        return (
            f"Its input_dim is {expected}, as it must be. Compare the other sizes: tags require "
            "one for each token."
        )
    known = "" if expected is None else f"Its input_dim is {expected}. "
    return (
        f"{known}Set the head's input_dim, or that of its encoder, to the output size of the "
        "backbone."
    )


def _explain_kernels(head: str, module: torch.nn.Module, found: str, error: str) -> Optional[str]:
    kernels = [max(m.kernel_size) for m in module.modules() if isinstance(m, torch.nn.Conv1d)]
    if not kernels:
        return None
    return (
        f"A batch of the head {head!r} must have a text of at least {max(kernels)} tokens, the "
        f"largest kernel of its convolutions, but got {found}, and PyTorch raised: {error}. Use "
        f"smaller kernels (ngram_filter_sizes) or, if no head labels tokens, pad the texts: set "
        f"token_min_padding_length to {max(kernels)} in the token_indexers of the dataset reader."
    )


def _explain_label(head: str, module: torch.nn.Module, error: str) -> Optional[str]:
    namespace, vocab = find_namespace(module), getattr(module, "vocab", None)
    found = _LABEL_ERROR.search(error)
    if found is None or namespace is None or not isinstance(vocab, Vocabulary):
        return None
    known = f"{namespace!r}, which are {format_names(labels_in(vocab, namespace))}"
    label = int(found.group(1))
    if label < vocab.get_vocab_size(namespace):
        return (
            f"The head {head!r} must have an output for each of the labels of its namespace "
            f"{known}, but has none for {vocab.get_token_from_index(label, namespace)!r}, and "
            f"PyTorch raised: {error}. It was made for fewer labels: by num_labels, or before the "
            "label was added to the vocabulary, as --extend-vocab does. Train it with data that "
            "have this label, or leave them out."
        )
    return (
        f"The labels of the head {head!r} must be those of its namespace {known}, but PyTorch "
        f"raised: {error}. {namespace_advice(vocab)}"
    )
