"""The keys of the texts in a record and in the JSON of a prediction."""

from typing import Any, Iterable, Mapping, Optional, Tuple

from allennlp.common.checks import ConfigurationError

from multitask_model.data.dataset_readers.field_names import RESERVED, TEXT, TEXT_PAIR
from multitask_model.errors import format_names, suggest_rename

_RESERVED = [*RESERVED, TEXT_PAIR]
_OTHERS = (*(name for name in RESERVED if name != TEXT), "self")


class TextKeys:
    """
    Finds the text, and the second one of a pair.

        >>> keys = TextKeys("premise", "hypothesis", labels=["entailment"])
        >>> keys.of_record({"premise": "It rains.", "hypothesis": "It is wet."})
        ('It rains.', 'It is wet.')
        >>> keys.of_inputs("It rains.", None, {"hypothesis": "It is wet."})
        ('It rains.', 'It is wet.')

    # Parameters

    text : `str`
        The key of the text.
    text_pair : `str`, optional
        The key of the second text, if there is one.
    labels : `Iterable[str]`
        The keys of the labels.

    # Raises

    `ConfigurationError`
        If two of the keys are equal, or the text or a label has the name of another field.
    """

    def __init__(self, text: str, text_pair: Optional[str], labels: Iterable[str]) -> None:
        if text == text_pair:
            raise ConfigurationError(
                f"text_pair_key must be another key than text_key, but got {text!r} for both. "
                "Correct it, or leave it out if there is one text."
            )
        _check(text, text_pair)
        for key in labels:
            if key in (*_RESERVED, text, text_pair):
                raise ConfigurationError(
                    f"labels must not use the name of another field, but got {key!r}. Rename the "
                    f"key in the data and in labels to one that is not in "
                    f"{format_names(_RESERVED)} and is not the text_key or the text_pair_key."
                )
        self._text = text
        self._text_pair = text_pair

    @property
    def has_pair(self) -> bool:
        """Whether there is a second text."""
        return self._text_pair is not None

    def of_record(self, record: Mapping[str, Any]) -> Tuple[Any, Any]:
        """Returns the texts of a record. Raises a `ValueError` if one is missing."""
        text = _required(record, "text_key", self._text)
        if self._text_pair is None:
            return text, None
        return text, _required(record, "text_pair_key", self._text_pair)

    def of_inputs(
        self, text: object, text_pair: object, others: Mapping[str, object]
    ) -> Tuple[object, object]:
        """
        Returns the texts of a prediction, with those in `others` first, whose keys are those of a
        record. `text` is an empty tuple if it is not given. Raises a `ValueError` if there is no
        text.
        """
        if self._text in others:
            if self._text_pair == TEXT:
                text_pair = None if text == () else text
            text = others[self._text]
        elif text == ():
            keys = " or ".join(map(repr, dict.fromkeys((self._text, TEXT))))
            raise ValueError(
                f"An input must have the key {keys}, but got the keys {format_names(others)}."
                f"{suggest_rename(self._text, others)} Add it, or rename one of them."
            )
        if self._text_pair is not None:
            text_pair = others.get(self._text_pair, text_pair)
        return text, text_pair


def _check(text: str, text_pair: Optional[str]) -> None:
    """Checks that the keys are no names of other parameters of a reader's `text_to_instance`."""
    for parameter, key, others in (
        ("text_key", text, (*_OTHERS, TEXT_PAIR)),
        ("text_pair_key", text_pair, _OTHERS),
    ):
        if key in others:
            raise ConfigurationError(
                f"{parameter} must not be a name of something else, but got {key!r}. Rename the "
                "key in the data."
            )


def _required(record: Mapping[str, Any], parameter: str, key: str) -> Any:
    if key not in record:
        raise ValueError(
            f"A line must have the key {key!r}, but got the keys {format_names(record)}."
            f"{suggest_rename(key, record)} Add it, or set the reader's {parameter}."
        )
    return record[key]
