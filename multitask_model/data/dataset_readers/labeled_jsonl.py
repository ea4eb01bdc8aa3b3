"""The `labeled_jsonl` reader: JSON lines, each with one text and any number of labels."""

import json
from typing import Any, Dict, Iterator, List, Optional, Union

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.common.file_utils import cached_path
from allennlp.data import DatasetReader, Field, Instance, TokenIndexer, Tokenizer
from allennlp.data.dataset_readers.dataset_reader import PathOrStr
from allennlp.data.fields import MetadataField, TextField
from overrides import overrides

from multitask_model.data.dataset_readers.field_names import HEADS, RESERVED, TEXT
from multitask_model.data.dataset_readers.label_types import LABEL_TYPES
from multitask_model.data.dataset_readers.text_reader import TextReader, warn_about_missing_fields
from multitask_model.errors import check_known, format_names, format_value, suggest

_LABEL_ADVICE = "Correct it, leave it out, or change its type in the reader's labels."


@DatasetReader.register("labeled_jsonl")
class LabeledJsonlReader(TextReader):
    """
    Reads a file with one JSON object per line. Each has a text and any number of labels:

    ```json
    {"text": "What a day!", "polarity": "positive", "stars": 4.5, "topics": ["weather"]}
    ```

    The tokens are the field `text`. Each label is a field with the name of its key. Labels other
    than numbers have the vocabulary namespace `KEY_labels`, so readers with the same key use the
    same namespace. If a line lacks a label, or it is `null`, the instance lacks the field. Keys
    that are not in `labels` are ignored. The exception is `heads`, an optional list of names that
    restricts which heads of the task serve the instance.

    Blank lines are skipped, but counted in line numbers.

    Registered as a `DatasetReader` with name "labeled_jsonl".

    # Parameters

    labels : `Dict[str, str]`
        The type of each label by its key. In a batch the label becomes a tensor:

        - `"class"`, a string or an integer (converted to a string): `(B,)`
        - `"number"`: `(B,)`, floating point
        - `"classes"`, a list of any number of the C classes: `(B, C)`, ones and zeros
        - `"tags"`, a list with a class for each token: `(B, T)`
    tokenizer : `Tokenizer`, optional (default = `PunctuationTokenizer()`)
        Tokenizes strings. The default splits at whitespace, and makes a token of each punctuation
        character and symbol; `"spacy"` requires one of spaCy's language models. A text may also be
        a list of tokens, which is used as it is.
    token_indexers : `Dict[str, TokenIndexer]`, optional
        (default = `{"tokens": SingleIdTokenIndexer()}`)
    text_key : `str`, optional (default = `"text"`)
        The key of the text. The name of the field is always `text`.
    max_tokens : `int`, optional (default = `None`)
        Truncates the tokens and their tags to this length. For a pretrained transformer, set the
        `max_length` of the tokenizer instead, which keeps the special token at the end.
    max_instances : `int`, optional (default = `None`)
        As in `DatasetReader`.
    serialization_dir : `str`, optional (default = `None`)
        As in `DatasetReader`.

    # Raises

    `ConfigurationError`
        If `labels` has an invalid type or key, or `max_tokens` is less than 1.
    `ValueError`
        While reading, with the file and the number of the line: if a line is not a JSON object, has
        no text with at least one token, or has a label that is not of its type.

    # Examples

    >>> from tempfile import NamedTemporaryFile
    >>> reader = LabeledJsonlReader({"polarity": "class", "pos": "tags"})
    >>> line = '{"text": ["Nice", "day"], "polarity": "positive", "pos": ["ADJ", "NOUN"]}'
    >>> with NamedTemporaryFile("w") as file:
    ...     print(line, file=file, flush=True)
    ...     (instance,) = reader.read(file.name)
    >>> instance["text"].tokens, instance["polarity"].label, instance["pos"].labels
    ([Nice, day], 'positive', ['ADJ', 'NOUN'])
    """

    def __init__(
        self,
        labels: Dict[str, str],
        tokenizer: Optional[Tokenizer] = None,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        text_key: str = TEXT,
        max_tokens: Optional[int] = None,
        max_instances: Optional[int] = None,
        serialization_dir: Optional[str] = None,
    ) -> None:
        super().__init__(tokenizer, token_indexers, max_instances, serialization_dir)
        for key, label_type in labels.items():
            check_known("labels", f"a label type for the key {key!r}", [label_type], LABEL_TYPES)
        _check_keys(labels, text_key)
        if max_tokens is not None and max_tokens < 1:
            raise ConfigurationError(
                f"max_tokens must be at least 1, but got {max_tokens}. Leave it out to keep all "
                "tokens."
            )
        self._labels = {key: LABEL_TYPES[label_type] for key, label_type in labels.items()}
        self._text_key = text_key
        self._max_tokens = max_tokens

    @overrides
    def _read(self, file_path: PathOrStr) -> Iterator[Instance]:
        advice = "compare the keys of the lines with the reader's labels"
        instances = self._read_lines(file_path)
        return warn_about_missing_fields(instances, self._labels, file_path, advice)

    def _read_lines(self, file_path: PathOrStr) -> Iterator[Instance]:
        with open(cached_path(file_path), "rb") as lines:
            # Blank lines are skipped before sharding, so that `max_instances` does not count them.
            filled = ((n, line) for n, line in enumerate(lines, start=1) if line.strip())
            for number, line in self.shard_iterable(filled):
                try:
                    instance = self._line_to_instance(line)
                except ValueError as error:
                    raise ValueError(f"{file_path}, line {number}: {error}") from error
                yield instance

    def _line_to_instance(self, line: bytes) -> Instance:
        content = _parse_object(line.strip(), self._text_key)
        if self._text_key not in content:
            raise ValueError(
                f"A line must have the key {self._text_key!r}, but got the keys "
                f"{format_names(content)}.{suggest(self._text_key, content)} Add it, or set the "
                "reader's text_key."
            )
        labels = {key: content[key] for key in self._labels if key in content}
        return self.text_to_instance(content[self._text_key], content.get(HEADS), **labels)

    def text_to_instance(  # type: ignore[override]
        self, text: Union[str, List[str]], heads: Optional[List[str]] = None, **labels: object
    ) -> Instance:
        """
        # Parameters

        text : `Union[str, List[str]]`
            A string, or its tokens.
        heads : `List[str]`, optional (default = all heads of the task)
            The heads of the task that serve this instance.
        **labels : `object`
            Labels by their keys, as in a line of a file. Other keys are ignored.

        # Returns

        `Instance`
            With the field `text`, and a field for each label that is not `None`.

        # Raises

        `ValueError`
            If the text has no tokens, or a label is not of its type.
        """
        tokens = self.tokenize(text)
        text_field = TextField(tokens[: self._max_tokens])
        fields: Dict[str, Field[torch.Tensor]] = {}
        for key, label_type in self._labels.items():
            if labels.get(key) is not None:
                label = label_type.validate(key, labels[key], len(tokens), _LABEL_ADVICE)
                fields[key] = label_type.field(label, text_field, f"{key}_labels")
        instance = Instance({TEXT: text_field, **fields})
        if heads is not None:
            instance.add_field(HEADS, MetadataField(_validate_heads(heads)))
        return instance


def _parse_object(line: bytes, text_key: str) -> Dict[str, Any]:
    content = _parse_json(line)
    if not isinstance(content, dict):
        raise ValueError(
            f"A line must be a JSON object, but got {format_value(content)}. Write it as "
            f'{{"{text_key}": ...}}.'
        )
    return content


def _parse_json(line: bytes) -> object:
    try:
        return json.loads(line)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        reason = str(error)
        if isinstance(error, json.JSONDecodeError):
            # The error's own text has a line number, which is always 1 here.
            reason = f"{error.msg} at character {error.pos + 1}"
        raise ValueError(
            f"A line must be a JSON object, but got {format_value(line.decode(errors='replace'))}, "
            f"which is not JSON ({reason}). Correct it, or remove it."
        ) from error


def _validate_heads(heads: object) -> List[str]:
    if not isinstance(heads, list) or not all(isinstance(head, str) for head in heads):
        raise ValueError(
            f"The key {HEADS!r} must be a list of head names, but got {format_value(heads)}. "
            "Correct it, or leave it out for all heads of the task."
        )
    return heads


def _check_keys(labels: Dict[str, str], text_key: str) -> None:
    for key in labels:
        if key in RESERVED or key == text_key:
            raise ConfigurationError(
                f"labels must not use the name of another field, but got {key!r}. Rename the key "
                f"in the data and in labels to one that is not in {format_names(RESERVED)} and is "
                "not the text_key."
            )
