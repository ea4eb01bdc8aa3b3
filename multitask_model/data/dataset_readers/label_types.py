"""What a label of a text may be: a class, a number, a list of classes, or a tag for each token."""

from typing import Any, Callable, Dict, NamedTuple, Optional

import torch
from allennlp.data import Field
from allennlp.data.fields import (
    LabelField,
    MultiLabelField,
    SequenceLabelField,
    TensorField,
    TextField,
)


class LabelType(NamedTuple):
    """How to check a value from JSON against the text that it labels, and to make a field of it."""

    requires: str
    """What a value has to be, as it stands in an error message; `{T}` is the number of tokens."""
    fits: Callable[[Any, TextField], bool]
    field: Callable[[Any, TextField, str], Field]
    """Of a value that fits, the text, which may have been cut short since, and the namespace."""


def _is_class(value: Any, text: Optional[TextField] = None) -> bool:
    # To Python, true and false are whole numbers.
    return bool(value) if isinstance(value, str) else type(value) is int


def _is_number(value: Any, text: TextField) -> bool:
    # Of the numbers that JSON allows, NaN and what is too large for a tensor are left out by this.
    return type(value) in (int, float) and abs(value) <= torch.finfo(torch.float).max


def _are_classes(value: Any, text: TextField) -> bool:
    return isinstance(value, list) and all(map(_is_class, value))


def _are_tags(value: Any, text: TextField) -> bool:
    return _are_classes(value, text) and len(value) == text.sequence_length()


def _class(value: Any, text: TextField, namespace: str) -> Field:
    return LabelField(str(value), namespace)


def _number(value: Any, text: TextField, namespace: str) -> Field:
    return TensorField(torch.tensor(float(value), dtype=torch.float))


def _classes(value: Any, text: TextField, namespace: str) -> Field:
    return MultiLabelField([str(label) for label in value], namespace)


def _tags(value: Any, text: TextField, namespace: str) -> Field:
    # As strings, because AllenNLP takes whole numbers for indices into a vocabulary.
    return SequenceLabelField([str(t) for t in value[: text.sequence_length()]], text, namespace)


_CLASS = "a whole number or a string that is not empty"

LABEL_TYPES: Dict[str, LabelType] = {
    "class": LabelType(_CLASS, _is_class, _class),
    "number": LabelType("a finite number", _is_number, _number),
    "classes": LabelType(f"a list, each item {_CLASS}", _are_classes, _classes),
    "tags": LabelType(
        f"a list of {{T}} tags, one for each token of the text, each {_CLASS}", _are_tags, _tags
    ),
}
