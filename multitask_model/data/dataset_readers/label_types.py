"""The types of labels in JSON: a class, a number, a list of classes, or a tag for each token."""

from dataclasses import dataclass
from typing import Any, Callable, Dict, Generic, List, Optional, TypeVar

import torch
from allennlp.data import Field
from allennlp.data.fields import (
    LabelField,
    MultiLabelField,
    SequenceLabelField,
    TensorField,
    TextField,
)

from multitask_model.errors import format_value

T = TypeVar("T")


@dataclass(frozen=True)
class LabelType(Generic[T]):
    """
    Validates a label and makes a field of it.

        >>> CLASS.validate("stars", 5, num_tokens=2, advice="Correct it.")
        '5'
        >>> TAGS.validate("tags", ["ADJ"], num_tokens=2, advice="Correct it.")
        Traceback (most recent call last):
        ValueError: The label 'tags' must be a list of 2 tags, ... but got ['ADJ'] ... Correct it.
    """

    description: str
    """What the label must be, for error messages. `{T}` stands for the number of tokens."""
    parse: Callable[[object, int], Optional[T]]
    """Converts the label, given the number of tokens. Returns `None` if it is invalid."""
    field: Callable[[T, TextField, str], "Field[torch.Tensor]"]
    """
    Makes a field of a parsed label, given the text field, which may be truncated, and the
    vocabulary namespace.
    """

    def validate(self, name: str, label: object, num_tokens: int, advice: str) -> T:
        """Parses a label. Raises a `ValueError` that ends with `advice` if it is invalid."""
        parsed = self.parse(label, num_tokens)
        if parsed is None:
            raise ValueError(
                f"The label {name!r} must be {self.description.format(T=num_tokens)}, but got "
                f"{format_value(label)}. {advice}"
            )
        return parsed


def _is_class(label: object) -> bool:
    # `isinstance` would accept booleans as integers.
    return label != "" if isinstance(label, str) else type(label) is int


def _parse_class(label: object, num_tokens: int) -> Optional[str]:
    return str(label) if _is_class(label) else None


def _parse_number(label: object, num_tokens: int) -> Optional[float]:
    # JSON allows NaN and numbers that do not fit into a tensor. The comparison excludes both.
    if (type(label) is int or type(label) is float) and abs(label) <= torch.finfo(torch.float).max:
        return float(label)
    return None


def _parse_classes(label: object, num_tokens: int) -> Optional[List[str]]:
    if not isinstance(label, list) or not all(map(_is_class, label)):
        return None
    return list(map(str, label))


def _parse_tags(label: object, num_tokens: int) -> Optional[List[str]]:
    tags = _parse_classes(label, num_tokens)
    return tags if tags is not None and len(tags) == num_tokens else None


def _class_field(label: str, text: TextField, namespace: str) -> LabelField:
    return LabelField(label, namespace)


def _number_field(label: float, text: TextField, namespace: str) -> TensorField:
    return TensorField(torch.tensor(label, dtype=torch.float))


def _classes_field(label: List[str], text: TextField, namespace: str) -> MultiLabelField:
    return MultiLabelField(label, namespace)


def _tags_field(label: List[str], text: TextField, namespace: str) -> SequenceLabelField:
    return SequenceLabelField(label[: text.sequence_length()], text, namespace)


_CLASS = "an integer or a non-empty string"

CLASS = LabelType(_CLASS, _parse_class, _class_field)
NUMBER = LabelType("a finite number", _parse_number, _number_field)
CLASSES = LabelType(f"a list, each item {_CLASS}", _parse_classes, _classes_field)
TAGS = LabelType(
    f"a list of {{T}} tags, one for each token of the text, each {_CLASS}",
    _parse_tags,
    _tags_field,
)

LABEL_TYPES: Dict[str, LabelType[Any]] = {
    "class": CLASS,
    "number": NUMBER,
    "classes": CLASSES,
    "tags": TAGS,
}
