"""Making an instance from JSON whose keys are the parameters of a reader's `text_to_instance`."""

import contextlib
import inspect
import logging
from typing import Iterator, List, Set

from allennlp.common import JsonDict
from allennlp.data import DatasetReader, Instance

from multitask_model.errors import format_names, format_value, suggest_rename
from multitask_model.routing.signatures import VARIADIC

logger = logging.getLogger(__name__)


class JsonInputs:
    """
    Makes the instances of one task from JSON.

        >>> from multitask_model import LabeledJsonlReader
        >>> inputs = JsonInputs("reviews", LabeledJsonlReader({}))
        >>> inputs.to_instance({"text": "So good!"})["text"].tokens
        [So, good, !]

    # Parameters

    task : `str`
    reader : `DatasetReader`
        The reader of the task. Its `text_to_instance` has a parameter for each key.
    """

    def __init__(self, task: str, reader: DatasetReader) -> None:
        self._task = task
        self._reader = reader
        self._ignored: Set[str] = set()

    def to_instance(self, json_dict: JsonDict) -> Instance:
        """
        # Raises

        `ValueError`
            If a key for a required parameter is missing, the parameters have no names, or the
            reader raises an error.
        """
        parameters = _parameters(self._reader)
        named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        known = [p.name for p in named]
        missing = [p.name for p in named if p.default is p.empty and p.name not in json_dict]
        if missing:
            raise ValueError(
                f"Task {self._task!r} requires the keys {format_names(missing)} (text_to_instance "
                f"of {type(self._reader).__name__}), but got {format_names(json_dict)}."
                f"{suggest_rename(missing[0], json_dict)} The known keys are "
                f"{format_names(known)}: add or rename them."
            )
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            self._warn_of_ignored(json_dict, known)
            json_dict = {key: json_dict[key] for key in json_dict if key in known}
        with explain_errors(self._task, self._reader, json_dict):
            return self._reader.text_to_instance(**json_dict)

    def _warn_of_ignored(self, json_dict: JsonDict, known: List[str]) -> None:
        for key in json_dict.keys() - set(known) - self._ignored:
            self._ignored.add(key)
            logger.warning(
                "Ignoring the key %r, because task %r only takes the keys %s.",
                key,
                self._task,
                format_names(known),
            )


@contextlib.contextmanager
def explain_errors(task: str, maker: object, json_dict: JsonDict) -> Iterator[None]:
    """
    Adds the task, the JSON and the reader or predictor that makes an instance of it to any error
    of that reader or predictor, such as AllenNLP's error for an integer label or a bare `KeyError`.

    # Raises

    `ValueError`
        In place of the error.
    """
    try:
        yield
    except Exception as error:
        required = (
            f"Task {task!r} requires JSON that {type(maker).__name__} can make an instance of, but "
            f"got {format_value(json_dict)}"
        )
        if isinstance(error, ValueError) and type(maker).__module__.startswith("multitask_model."):
            raise ValueError(f"{required}: {error}") from error  # which says what to do
        reason = f"{type(error).__name__}: {error}".rstrip(".")
        raise ValueError(
            f"{required}, which raised {reason}. Correct the keys or their values. AllenNLP's "
            "readers take labels as strings."
        ) from error


def _parameters(reader: DatasetReader) -> List[inspect.Parameter]:
    parameters = list(inspect.signature(reader.text_to_instance).parameters.values())
    kinds = {p.kind for p in parameters}
    inner = getattr(reader, "reader", None)
    if isinstance(inner, DatasetReader) and kinds == VARIADIC:
        # The reader passes everything on to another one.
        return _parameters(inner)
    if not parameters or kinds == {inspect.Parameter.VAR_POSITIONAL}:
        raise ValueError(
            "Prediction from JSON requires a text_to_instance with named parameters, but got that "
            f"of {full_name(type(reader))}, which has none. Name them, or give the head a "
            "default_predictor."
        )
    return parameters


def full_name(class_: type) -> str:
    """Returns the name of a class with its module."""
    return f"{class_.__module__}.{class_.__qualname__}"
