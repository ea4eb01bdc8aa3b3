"""The `labeled_jsonl` reader: JSON lines, each with one text and any number of labels."""

import json
import logging
from typing import Any, Dict, Iterator, List, Optional, Union

from allennlp.common.checks import ConfigurationError
from allennlp.common.file_utils import cached_path
from allennlp.data import DatasetReader, Field, Instance, Token, TokenIndexer, Tokenizer
from allennlp.data.dataset_readers.dataset_reader import PathOrStr
from allennlp.data.fields import MetadataField, TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer
from allennlp.data.tokenizers import SpacyTokenizer
from overrides import overrides

from multitask_model.data.dataset_readers.label_types import LABEL_TYPES
from multitask_model.errors import check_known, format_names, format_value, suggest

logger = logging.getLogger(__name__)

TEXT = "text"
HEADS = "heads"
RESERVED = (TEXT, "task", HEADS)


@DatasetReader.register("labeled_jsonl")
class LabeledJsonlReader(DatasetReader):
    """
    Reads a file of JSON objects, one a line, each with one text and any number of labels of it:

    ```json
    {"text": "What a day!", "polarity": "positive", "stars": 4.5, "topics": ["weather"]}
    ```

    An instance has the text as its field `text`, the name that a backbone has for it. Each label is
    a field with the name of its key and, unless it is a number, the vocabulary namespace
    `KEY_labels`. So readers that share a key share its namespace. A label that a line lacks, or
    that is `null`, is left out of the instance. Keys that are not in `labels` are not read,
    except `heads`: a list of names that narrows the heads that serve the instance.

    Blank lines hold nothing, so they are allowed; they count in the numbers of lines.

    Registered as a `DatasetReader` with name "labeled_jsonl".

    # Parameters

    labels : `Dict[str, str]`
        What the label under each key is. In a batch of B texts with up to T tokens it becomes:

        - `"class"`, a string or a whole number (which stands for its digits): (B,)
        - `"number"`: (B,), floating point
        - `"classes"`, a list of any number of classes out of C: (B, C), ones and zeros
        - `"tags"`, a list with a class for each token of the text: (B, T)
    tokenizer : `Tokenizer`, optional (default = `SpacyTokenizer()`)
        Splits texts that are strings. A text may be a list of tokens instead: it is taken as it is.
    token_indexers : `Dict[str, TokenIndexer]`, optional
        (default = `{"tokens": SingleIdTokenIndexer()}`)
    text_key : `str`, optional (default = `"text"`)
        The key of the text. Whatever it is, the field's name is `text`.
    max_tokens : `int`, optional (default = `None`)
        Tokens after that many are cut off, and their tags too. The tokenizer of a pretrained
        transformer has a `max_length` of its own that keeps the special token at the end.
    **kwargs : `Any`
        `max_instances` and the like, for `DatasetReader`.

    # Raises

    `ConfigurationError`
        If `labels` has a kind or a key that cannot be used, or `max_tokens` leaves nothing.
    `ValueError`
        While reading, with the file and the number of the line: if a line is not a JSON object, has
        no text with at least one token, or has a label that is not of its kind.
    """

    def __init__(
        self,
        labels: Dict[str, str],
        tokenizer: Optional[Tokenizer] = None,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        text_key: str = TEXT,
        max_tokens: Optional[int] = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            manual_distributed_sharding=True, manual_multiprocess_sharding=True, **kwargs
        )
        for key, kind in labels.items():
            check_known("labels", f"a kind of label for the key {key!r}", [kind], LABEL_TYPES)
        _check_keys(labels, text_key)
        if max_tokens is not None and max_tokens < 1:
            raise ConfigurationError(
                f"max_tokens must leave at least 1 token of a text, but it is {max_tokens}. Leave "
                "it out for whole texts."
            )
        self._labels = dict(labels)
        self._tokenizer = tokenizer
        self._token_indexers = token_indexers or {"tokens": SingleIdTokenIndexer()}
        self._text_key = text_key
        self._max_tokens = max_tokens

    @overrides
    def _read(self, file_path: PathOrStr) -> Iterator[Instance]:
        unseen = set(self._labels)
        with open(cached_path(file_path), "rb") as lines:
            # Blank lines go first, so that they do not count among `max_instances`.
            filled = ((n, line) for n, line in enumerate(lines, start=1) if line.strip())
            for number, line in self.shard_iterable(filled):
                try:
                    instance = self._line_to_instance(line)
                except ValueError as error:
                    raise ValueError(f"{file_path}, line {number}: {error}") from error
                unseen.difference_update(instance.fields)
                yield instance
        if unseen:
            logger.warning(
                "No line read from %s has the labels %s. If it should, compare the keys of its "
                "lines with the reader's labels.",
                file_path,
                format_names(sorted(unseen)),
            )

    def _line_to_instance(self, line: bytes) -> Instance:
        content = _parse(line.strip())
        if not isinstance(content, dict):
            raise ValueError(
                f"A line must be a JSON object, but this one is {format_value(content)}. Write it "
                f"as "
                f'{{"{self._text_key}": ...}}.'
            )
        if self._text_key not in content:
            raise ValueError(
                f"A line must have a text under the key {self._text_key!r}, but the keys of this "
                f"one are {format_names(content)}.{suggest(self._text_key, content)} Add it, or "
                f"set the "
                "reader's text_key."
            )
        labels = {key: content[key] for key in self._labels if key in content}
        return self.text_to_instance(content[self._text_key], content.get(HEADS), **labels)

    def text_to_instance(  # type: ignore[override]
        self, text: Union[str, List[str]], heads: Optional[List[str]] = None, **labels: Any
    ) -> Instance:
        """
        # Parameters

        text : `Union[str, List[str]]`
            A string, or its tokens.
        heads : `List[str]`, optional (default = `None`)
            The heads that serve this instance, among those of its task. All of them by default.
        **labels : `Any`
            Labels by their keys, as in a line; of other keys nothing is read.

        # Returns

        `Instance`
            With the field `text`, and one for each label that is there and not `None`.

        # Raises

        `ValueError`
            If there is no token in the text, or a label is not of its kind.
        """
        tokens = self._tokens(text)
        whole, kept = TextField(tokens), TextField(tokens[: self._max_tokens])
        fields: Dict[str, Field] = {TEXT: kept}
        for key, name in self._labels.items():
            value, kind = labels.get(key), LABEL_TYPES[name]
            if value is None:
                continue
            if not kind.fits(value, whole):
                raise ValueError(
                    f"The label {key!r} must be {kind.requires.format(T=len(tokens))}, but it is "
                    f"{format_value(value)}. Correct it, leave it out, or change its kind in "
                    "the reader's labels."
                )
            fields[key] = kind.field(value, kept, f"{key}_labels")
        if heads is not None:
            fields[HEADS] = MetadataField(_check_heads(heads))
        return Instance(fields)

    def _tokens(self, text: Any) -> List[Token]:
        tokens: List[Token] = []
        if isinstance(text, str):
            # Not before it is needed: its language model may not be there.
            self._tokenizer = self._tokenizer or SpacyTokenizer()
            tokens = self._tokenizer.tokenize(text)
        elif isinstance(text, list) and all(isinstance(token, str) and token for token in text):
            tokens = [Token(token) for token in text]
        if not tokens:
            raise ValueError(
                "A text must be a string, or a list of strings that are not empty, and have at "
                f"least one token, but this one is {format_value(text)}. Correct it, or leave it "
                f"out of "
                "the data."
            )
        return tokens

    @overrides
    def apply_token_indexers(self, instance: Instance) -> None:
        instance.fields[TEXT].token_indexers = self._token_indexers  # type: ignore[attr-defined]


def _parse(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        reason = str(error)
        if isinstance(error, json.JSONDecodeError):  # its own text counts lines within this line
            reason = f"{error.msg} at character {error.pos + 1}"
        raise ValueError(
            f"A line must be a JSON object, but this one is not JSON ({reason}): "
            f"{format_value(line.decode(errors='replace'))}. Correct or remove it."
        ) from error


def _check_heads(heads: Any) -> List[str]:
    if not isinstance(heads, list) or not all(isinstance(head, str) for head in heads):
        raise ValueError(
            f"The key {HEADS!r} must have a list of the names of heads, but it has "
            f"{format_value(heads)}. Correct it, or leave it out for all heads of the task."
        )
    return heads


def _check_keys(labels: Dict[str, str], text_key: str) -> None:
    for key in labels:
        if key in RESERVED or key == text_key:
            raise ConfigurationError(
                "The key of a label is the name of its field, which must not be that of another "
                f"field, but labels has {key!r}. Give it another key in the data and in labels: "
                f"neither one of {format_names(RESERVED)} nor the text_key."
            )
