"""The `labeled_jsonl` reader: JSON lines, each with one text and any number of labels."""

import json
import re
from typing import Dict, Iterator

from allennlp.data import DatasetReader, Instance
from allennlp.data.dataset_readers.dataset_reader import PathOrStr
from overrides import overrides

from multitask_model.data.dataset_readers.file_lines import read_lines
from multitask_model.data.dataset_readers.labeled_text import LabeledTextReader
from multitask_model.data.dataset_readers.text_reader import warn_about_missing_fields
from multitask_model.errors import format_value

# Half of a surrogate pair, escaped or encoded. Most lines have none, so few are searched further.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")


@DatasetReader.register("labeled_jsonl")
class LabeledJsonlReader(LabeledTextReader):
    """
    Reads a file with one JSON object per line, which may be compressed (`.gz`, `.bz2`, `.xz`). Each
    object has a text and any number of labels:

    ```json
    {"text": "What a day!", "polarity": "positive", "stars": 4.5, "topics": ["weather"]}
    ```

    The tokens are the field `text`. Each label is a field with the name of its key. Labels other
    than numbers have the vocabulary namespace `KEY_labels` or that in `label_namespaces`, so
    readers with the same key use the same namespace. If a line lacks a label, or it is `null`, the
    instance lacks the field. Keys that are not in `labels` are ignored. The exception is `heads`,
    an optional list of names that restricts which heads of the task serve the instance.

    With `text_pair_key`, each object has two texts. The tokens of the second are the field
    `text_pair`. For prediction, the keys of the texts are those of the file, or `text` and
    `text_pair`.

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
        Truncates the tokens of each text and their tags to this length. For a pretrained
        transformer, set the `max_length` of the tokenizer instead, which keeps the special token at
        the end.
    max_instances : `int`, optional (default = `None`)
        As in `DatasetReader`.
    serialization_dir : `str`, optional (default = `None`)
        As in `DatasetReader`.
    text_pair_key : `str`, optional (default = `None`)
        The key of the second text of a pair. The name of the field is always `text_pair`. Tags are
        those of the first text.
    label_namespaces : `Dict[str, str]`, optional (default = `None`)
        The vocabulary namespace by key, where it is not `KEY_labels`, such as
        `{"polarity": "sentiment_labels"}`. Labels of different keys that one head predicts must
        have one namespace. Its name must end with `labels` or `tags`: AllenNLP adds padding and an
        unknown label to others.

    # Raises

    `ConfigurationError`
        If `labels` has an invalid type or key, `label_namespaces` has a key that is not a label or
        a number, `text_pair_key` equals `text_key`, or `max_tokens` is less than 1.
    `ValueError`
        While reading, with the file and the number of the line, after decompression: if a line is
        not a JSON object, has no text with at least one token, has a label that is not of its type,
        or is not valid Unicode.

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

    @overrides
    def _read(self, file_path: PathOrStr) -> Iterator[Instance]:
        advice = "compare the keys of the lines with the reader's labels"
        instances = self._read_lines(file_path)
        return warn_about_missing_fields(instances, self._labels, file_path, advice)

    def _read_lines(self, file_path: PathOrStr) -> Iterator[Instance]:
        # Blank lines are skipped before sharding, so that `max_instances` does not count them.
        lines = enumerate(read_lines(file_path), start=1)
        filled = ((number, line) for number, line in lines if line.strip())
        for number, line in self.shard_iterable(filled):
            try:
                instance = self._line_to_instance(line.strip())
            except ValueError as error:
                raise ValueError(f"{file_path}, line {number}: {error}") from error
            yield instance

    def _line_to_instance(self, line: bytes) -> Instance:
        try:
            return self.record_to_instance(_parse_object(line, self._text_key))
        except RecursionError as error:  # while parsing the line or formatting one of its values
            raise _json_error(line, "nested too deeply") from error


def _parse_object(line: bytes, text_key: str) -> Dict[str, object]:
    content = _parse_json(line)
    if not isinstance(content, dict):
        raise ValueError(
            f"A line must be a JSON object, but got {format_value(content)}. Write it as "
            f'{{"{text_key}": ...}}.'
        )
    return content


def _parse_json(line: bytes) -> object:
    try:
        content = json.loads(line)
        if _SURROGATE.search(line):
            json.dumps(content, ensure_ascii=False).encode()
        return content
    except json.JSONDecodeError as error:
        # The error's own text has a line number, which is always 1 here.
        raise _json_error(line, f"{error.msg} at character {error.pos + 1}") from error
    except UnicodeEncodeError as error:
        character = error.object[error.start]
        raise _json_error(line, f"half of a surrogate pair, {character!r}") from error
    except UnicodeDecodeError as error:
        raise _json_error(line, str(error)) from error


def _json_error(line: bytes, reason: str) -> ValueError:
    return ValueError(
        f"A line must be a JSON object, but got {format_value(line.decode(errors='replace'))}, "
        f"which is not JSON ({reason}). Correct it, or remove it."
    )
