"""The `columns` reader: files with a token and its tags in each line."""

from typing import Dict, Iterator, List, Optional, Union

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Field, Instance, TokenIndexer, Tokenizer
from allennlp.data.dataset_readers.dataset_reader import PathOrStr
from allennlp.data.fields import TextField
from overrides import overrides

from multitask_model.data.dataset_readers.column_positions import ColumnPositions, NamedCells
from multitask_model.data.dataset_readers.column_rows import RowFormat
from multitask_model.data.dataset_readers.conllu_comments import SentenceLabels
from multitask_model.data.dataset_readers.conllu_lines import LineError
from multitask_model.data.dataset_readers.dependency_trees import WordError
from multitask_model.data.dataset_readers.field_names import RESERVED, TEXT
from multitask_model.data.dataset_readers.file_lines import read_lines
from multitask_model.data.dataset_readers.label_namespaces import resolve_label_namespaces
from multitask_model.data.dataset_readers.label_types import CLASS, TAGS
from multitask_model.data.dataset_readers.tag_conversion import SPAN_ENCODINGS, convert_tags
from multitask_model.data.dataset_readers.text_reader import TextReader, warn_about_missing_fields
from multitask_model.errors import check_known

_LABEL_ADVICE = "Correct it, or leave it out."


@DatasetReader.register("columns")
class ColumnsReader(TextReader):
    """
    Reads files with a token in each line, its labels in columns, and a blank line after each
    sentence, such as those of CoNLL 2003 and WNUT. The files may be compressed (`.gz`, `.bz2`,
    `.xz`). Each sentence is an instance:

    ```
    # intent = travel
    Flights  NNS  O
    to       TO   O
    Boston   NNP  B-LOC
    ```

    The tokens are the field `text`. Each label is a field with the vocabulary namespace
    `NAME_labels`, or that in `label_namespaces`, as in the reader `labeled_jsonl`.

    Rows `-DOCSTART-` at the start of a sentence are skipped.

    Registered as a `DatasetReader` with name "columns".

    # Parameters

    columns : `Dict[str, Union[int, str]]`
        The column of the tokens, with the name `text`, and the column of each label. A column is
        its position, from 0 (negative positions count from the last column), or its name. Names
        are found in the first row that is not a comment, which is not part of a sentence, or in a
        comment such as `# global.columns = FORM NER`.
    sentence_columns : `List[str]`, optional (default = `None`)
        Which labels in `columns` are labels of sentences: all rows of a sentence have the same
        value, and the label becomes a `LabelField`. The others are tags, one for each token.
    sentence_labels : `Dict[str, str]`, optional (default = `None`)
        Labels of sentences, as regular expressions by name, such as
        `{"intent": "^intent = (.*)"}`. Each has one group and is searched for in every comment of
        the sentence, without the prefix and the spaces around it. A sentence without a match lacks
        the field.
    label_encodings : `Dict[str, str]`, optional (default = `None`)
        The encoding of spans in the file, by label: `"BIO"` (or `"IOB2"`), `"IOB1"`, `"BIOUL"` or
        `"BIOES"`. Invalid tags are errors. Labels that are not listed are not validated.
    convert_to : `str`, optional (default = `None`)
        Another of these encodings. The labels in `label_encodings` are converted to it.
    separator : `str`, optional (default = `None`)
        What is between the columns: `"\\t"`, `" "` for any number of spaces and tabs, or another
        string. By default a tab if the first row of a sentence has one, and otherwise spaces.
    comment_prefix : `str`, optional (default = `None`)
        Lines that start with it are comments; with `""` there are none. By default, a line is a
        comment if it starts with `#`, is before the first row of its sentence, and has another
        number of columns than the rows, so hashtags can be tokens. Where columns are separated by
        spaces, `#` and a space are enough, and a warning is logged if the number is the same.
    token_indexers : `Dict[str, TokenIndexer]`, optional
        (default = `{"tokens": SingleIdTokenIndexer()}`)
    tokenizer : `Tokenizer`, optional (default = `PunctuationTokenizer()`)
        Tokenizes strings for prediction. Files are not tokenized.
    max_instances : `int`, optional (default = `None`)
        As in `DatasetReader`.
    serialization_dir : `str`, optional (default = `None`)
        As in `DatasetReader`.
    label_namespaces : `Dict[str, str]`, optional (default = `None`)
        The vocabulary namespace by label, where it is not `NAME_labels`. As in
        `LabeledJsonlReader`.

    # Raises

    `ConfigurationError`
        If there is no column `text`, a name is reserved or unknown, or an encoding is unknown.
    `ValueError`
        While reading, with the file and the number of the line, after decompression: if the rows
        of a sentence have different numbers of columns, a column is missing or a cell is empty, if
        tags are not in their encoding, or if a sentence has several values of one label.

    # Examples

    >>> from tempfile import NamedTemporaryFile
    >>> reader = ColumnsReader({"text": 0, "ner": 1}, label_encodings={"ner": "IOB1"},
    ...                        convert_to="BIOUL")
    >>> with NamedTemporaryFile("w") as file:
    ...     print("New I-LOC", "York I-LOC", "now O", sep="\\n", file=file, flush=True)
    ...     (instance,) = reader.read(file.name)
    >>> instance["text"].tokens, instance["ner"].labels
    ([New, York, now], ['B-LOC', 'L-LOC', 'O'])
    """

    def __init__(
        self,
        columns: Dict[str, Union[int, str]],
        sentence_columns: Optional[List[str]] = None,
        sentence_labels: Optional[Dict[str, str]] = None,
        label_encodings: Optional[Dict[str, str]] = None,
        convert_to: Optional[str] = None,
        separator: Optional[str] = None,
        comment_prefix: Optional[str] = None,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        tokenizer: Optional[Tokenizer] = None,
        max_instances: Optional[int] = None,
        serialization_dir: Optional[str] = None,
        label_namespaces: Optional[Dict[str, str]] = None,
    ) -> None:
        super().__init__(tokenizer, token_indexers, max_instances, serialization_dir)
        self._positions = ColumnPositions(columns)
        self._row_format = RowFormat(separator, comment_prefix)
        self._label_names = [name for name in columns if name != TEXT]
        self._sentence_columns = _check_names("sentence_columns", sentence_columns)
        check_known(
            "sentence_columns", "labels in columns", self._sentence_columns, self._label_names
        )
        self._sentence_labels = SentenceLabels(
            sentence_labels or {}, reserved=[*RESERVED, *self._label_names]
        )
        names = [*self._label_names, *self._sentence_labels.names]
        self._namespaces = resolve_label_namespaces(names, label_namespaces)
        self._encodings = dict(label_encodings or {})
        self._convert_to = convert_to
        self._check_encodings()

    def _check_encodings(self) -> None:
        tags = [name for name in self._label_names if name not in self._sentence_columns]
        check_known("label_encodings", "tags in columns", self._encodings, tags)
        encodings = self._encodings.values()
        check_known("label_encodings", "an encoding of spans", encodings, SPAN_ENCODINGS)
        if self._convert_to is not None:
            check_known("convert_to", "an encoding of spans", [self._convert_to], SPAN_ENCODINGS)
            if not self._encodings:
                raise ConfigurationError(
                    "convert_to requires label_encodings, the encodings in the file, but got "
                    f"{self._convert_to!r} without them. Write, for example, label_encodings: "
                    f"{{{(tags or ['ner'])[0]!r}: 'BIO'}}."
                )

    @overrides
    def _read(self, file_path: PathOrStr) -> Iterator[Instance]:
        return warn_about_missing_fields(
            self._read_sentences(file_path),
            self._sentence_labels.names,
            file_path,
            "compare the comments with the reader's sentence_labels",
        )

    def _read_sentences(self, file_path: PathOrStr) -> Iterator[Instance]:
        try:
            split = self._row_format.split(read_lines(file_path), file_path)
            sentences = self._positions.resolve(split)
            for sentence in self.shard_iterable(sentences):
                yield self._sentence_to_instance(sentence)
        except LineError as error:
            raise ValueError(f"{file_path}, line {error.line}: {error}") from error

    def _sentence_to_instance(self, sentence: NamedCells) -> Instance:
        labels: Dict[str, object] = {}
        for name in self._label_names:
            cells = sentence.cells[name]
            is_sentence_label = name in self._sentence_columns
            labels[name] = _only_value(name, sentence) if is_sentence_label else cells
        labels.update(self._sentence_labels.labels_in(sentence.comments))
        try:
            return self.text_to_instance(sentence.cells[TEXT], **labels)
        except WordError as error:
            raise LineError(sentence.lines[error.position], str(error)) from error

    def text_to_instance(  # type: ignore[override]
        self, text: Union[str, List[str]], **labels: object
    ) -> Instance:
        """
        # Parameters

        text : `Union[str, List[str]]`
            The tokens, or a string to tokenize.
        **labels : `object`
            The labels by name, as in a file: tags are lists with one item per token, in the
            encoding of the file. Other names are ignored.

        # Returns

        `Instance`
            With the field `text`, and a field for each label that is not `None`.

        # Raises

        `ValueError`
            If there are no tokens, or a label is invalid.
        """
        tokens = self.tokenize(text)
        text_field = TextField(tokens)
        fields: Dict[str, Field[torch.Tensor]] = {}
        for name, namespace in self._namespaces.items():
            if labels.get(name) is None:
                continue
            if name in self._sentence_columns or name in self._sentence_labels.names:
                label = CLASS.validate(name, labels[name], len(tokens), _LABEL_ADVICE)
                fields[name] = CLASS.field(label, text_field, namespace)
            else:
                tags = TAGS.validate(name, labels[name], len(tokens), _LABEL_ADVICE)
                fields[name] = TAGS.field(self._convert(name, tags), text_field, namespace)
        return Instance({TEXT: text_field, **fields})

    def _convert(self, name: str, tags: List[str]) -> List[str]:
        encoding = self._encodings.get(name)
        if encoding is None:
            return tags
        return convert_tags(name, tags, encoding, self._convert_to or encoding)


def _check_names(parameter: str, names: Optional[List[str]]) -> List[str]:
    if isinstance(names, str):
        raise ConfigurationError(
            f"{parameter} must be a list of names, but got {names!r}. Write [{names!r}]."
        )
    return list(names or [])


def _only_value(name: str, sentence: NamedCells) -> str:
    values = sentence.cells[name]
    for value, line in zip(values, sentence.lines):
        if value != values[0]:
            raise LineError(
                line,
                f"All rows of a sentence must have the same label {name!r}, but got {value!r} "
                f"after {values[0]!r}. Correct it, or remove {name!r} from the reader's "
                "sentence_columns.",
            )
    return values[0]
