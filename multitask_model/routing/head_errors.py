"""Explanations of errors that a head's `forward` raises because it does not fit its arguments."""

import re
from typing import Dict, Mapping, NoReturn, Optional, Tuple, Union

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
_LABEL_ERROR = re.compile(r"(?:Target|index) (-?\d+) is out of bounds")
_KERNEL_ERROR = re.compile(r"input size per channel: \((\d+)\)\. Kernel size: \((\d+)\)")
_LABELS = ("label", "labels", "tags")

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
        message = _explain(head, unwrap(module), router, available, rows, str(error))
    if message is None:
        raise error
    raise type(error)(message) from error


def _explain(
    head: str,
    module: torch.nn.Module,
    router: Router,
    available: Mapping[str, object],
    rows: AllRows,
    error: str,
) -> Optional[str]:
    label, kernel = _LABEL_ERROR.search(error), _KERNEL_ERROR.search(error)
    is_size = any(part in error for part in _SIZE_ERRORS)
    if not (label or kernel or is_size):
        return None
    arguments = _tensor_arguments(router, available)
    if label:
        is_given = _has_label(arguments, int(label.group(1)))
        return _explain_label(head, module, int(label.group(1)), error) if is_given else None
    # The first size is the number of instances, of which the head gets its own.
    shapes = {n: (len(rows), *t.shape[1:]) if t.dim() else () for n, t in arguments.items()}
    found = ", ".join(f"{name!r} of shape {list(shape)}" for name, shape in shapes.items())
    encoded_text = shapes.get(ENCODED_TEXT, ())
    if kernel:
        length, size = map(int, kernel.groups())
        is_text = encoded_text[1:2] == (length,)
        return _explain_kernels(head, module, size, found, error) if is_text else None
    return (
        f"The layers of the head {head!r} must fit the sizes of its arguments, but got {found}, "
        f"and PyTorch raised: {error}. {_size_advice(module, encoded_text)}"
    )


def _tensor_arguments(router: Router, available: Mapping[str, object]) -> Dict[str, torch.Tensor]:
    arguments = {}
    for name, value in available.items():
        value = value.value if isinstance(value, Partial) else value
        # A nested tensor has no shape.
        if isinstance(value, torch.Tensor) and not value.is_nested and router.takes(name):
            arguments[router.argument_of(name)] = value
    return arguments


def _has_label(arguments: Mapping[str, torch.Tensor], label: int) -> bool:
    given = (arguments[name] for name in _LABELS if name in arguments)
    return any(bool((labels == label).any()) for labels in given)


def _size_advice(module: torch.nn.Module, encoded_text: Tuple[int, ...]) -> str:
    expected = input_dim(module)
    if len(encoded_text) == 2 and expected in (None, encoded_text[-1]):
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


def _explain_kernels(
    head: str, module: torch.nn.Module, size: int, found: str, error: str
) -> Optional[str]:
    plain = [
        m.kernel_size[0]
        for m in module.modules()
        if isinstance(m, torch.nn.Conv1d) and (*m.dilation, *m.padding) == (1, 0)
    ]
    if size not in plain:
        return None
    return (
        f"A batch of the head {head!r} must have a text of at least {max(plain)} tokens, the "
        f"largest kernel of its convolutions, but got {found}, and PyTorch raised: {error}. Use "
        f"smaller kernels (ngram_filter_sizes) or, if no head labels tokens, pad the texts: set "
        f"token_min_padding_length to {max(plain)} in the token_indexers of the dataset reader."
    )


def _explain_label(head: str, module: torch.nn.Module, label: int, error: str) -> Optional[str]:
    error = error.rstrip(".")
    namespace, vocab = find_namespace(module), getattr(module, "vocab", None)
    if namespace is None or not isinstance(vocab, Vocabulary):
        return None
    labels = labels_in(vocab, namespace)
    known = f"{namespace!r}, which are {format_names(labels)}"
    name = vocab.get_index_to_token_vocabulary(namespace).get(label)
    if name in labels:
        return (
            f"The head {head!r} must have an output for each of the labels of its namespace "
            f"{known}, but has none for {name!r}, and PyTorch raised: {error}. It was made for "
            "fewer labels: by num_labels, or before the label was added to the vocabulary, as "
            "--extend-vocab does. Train it with data that have this label, or leave them out."
        )
    return (
        f"The labels of the head {head!r} must be those of its namespace {known}, but PyTorch "
        f"raised: {error}. {namespace_advice(vocab)}"
    )
