"""The `conllu` reader: sentences with tags, trees, lemmas and labels of their documents."""

import logging
import re
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Union

from allennlp.common.checks import ConfigurationError
from allennlp.common.file_utils import open_compressed
from allennlp.data import DatasetReader, Field, Instance, Token, TokenIndexer, Tokenizer
from allennlp.data.dataset_readers.dataset_reader import PathOrStr
from allennlp.data.fields import SequenceLabelField, TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer
from allennlp.data.tokenizers import SpacyTokenizer
from overrides import overrides

from multitask_model.data.dataset_readers.conllu_rows import (
    COLUMNS,
    LEMMAS,
    Line,
    LineError,
    blocks,
    check_columns_named,
    column_of,
    is_comment,
    words_of,
)
from multitask_model.data.dataset_readers.dependency_trees import (
    HEAD_INDICES,
    WordError,
    check_tree,
)
from multitask_model.data.dataset_readers.edit_scripts import edit_script
from multitask_model.data.dataset_readers.label_types import LABEL_TYPES
from multitask_model.data.dataset_readers.labeled_jsonl import RESERVED, TEXT
from multitask_model.errors import check_known, format_names, format_value

logger = logging.getLogger(__name__)


class _Sentence(NamedTuple):
    lines: List[Line]
    labels: Dict[str, str]


@DatasetReader.register("conllu")
class ConlluReader(DatasetReader):
    """
    Reads a file in [CoNLL-U format](https://universaldependencies.org/format.html), compressed
    (`.gz`, `.bz2`, `.xz`) or not, by the library `conllu`: one instance a sentence.

    An instance has the words as its field `text`, the name that a backbone has for it. The words
    are the rows whose id is a whole number: the ranges of multiword tokens (`3-4`) and empty nodes
    (`8.1`) are checked, but no tokens. The other fields, each a label of every word and, unless it
    is a number, with a vocabulary namespace of its own name:

    - `upos_tags`, `xpos_tags` and `head_tags`: the columns UPOS, XPOS and DEPREL.
    - `head_indices`: the column HEAD, 0 for the root of the tree and from 1 on for words.
    - `feats`: the column FEATS, all features of a word as one tag. `_` is the tag of none.
    - `lemmas`: the column LEMMA as `edit_script`s. `apply_edit_script` makes lemmas of predictions.

    By the default of AllenNLP's vocabulary those that end in `tags` are closed, so a tag that is
    not in it is an error. `feats` and `lemmas` have an entry for what is unknown, which they need,
    although AllenNLP's log recommends names for namespaces without one.

    A column other than FEATS that is `_` for all words of a sentence is not annotated, and the
    instance lacks its field. One that is `_` for some of them only is an error, except for LEMMA:
    there `_` is the lemma of the word `_` and of words with the relation `goeswith`.

    Registered as a `DatasetReader` with name "conllu".

    # Parameters

    fields : `List[str]`, optional (default = all six)
        Which of these fields to read. Columns of others are not checked beyond what the library
        does.
    sentence_labels : `Dict[str, str]`, optional (default = `None`)
        Labels of sentences: for the name of each a regular expression with one group, searched for
        in every comment without its `#` and the spaces around it. A comment with a match labels its
        sentence and those after it with what the group matched, up to the next match or the next
        comment `newdoc`, which starts a document. Sentences without a label lack the field. Its
        namespace is `NAME_labels`. `{"genre": "newdoc id = ([a-z]+)"}` is an example.
    token_indexers : `Dict[str, TokenIndexer]`, optional
        (default = `{"tokens": SingleIdTokenIndexer()}`)
    tokenizer : `Tokenizer`, optional (default = `SpacyTokenizer()`)
        Splits texts for prediction that are strings. Nothing in a file needs it.
    **kwargs : `Any`
        `max_instances` and the like, for `DatasetReader`.

    # Raises

    `ConfigurationError`
        If a name in `fields` or `sentence_labels`, or a regular expression, cannot be used.
    `ValueError`
        While reading, with the file and the number of the line (of the decompressed file): if a row
        has not 10 columns that the library can parse or has an id out of order, a sentence has no
        words, a column is annotated for some of its words only, or heads are not a tree.
    """

    def __init__(
        self,
        fields: Optional[List[str]] = None,
        sentence_labels: Optional[Dict[str, str]] = None,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        tokenizer: Optional[Tokenizer] = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            manual_distributed_sharding=True, manual_multiprocess_sharding=True, **kwargs
        )
        chosen = list(COLUMNS) if fields is None else fields
        if isinstance(chosen, str):
            raise ConfigurationError(
                f"fields must be a list of names, but it is {chosen!r}. Write it as [{chosen!r}]."
            )
        check_known("fields", "what a sentence can have", chosen, COLUMNS)
        self._fields = [field for field in COLUMNS if field in chosen]
        self._sentence_labels = {
            name: _compile(name, pattern) for name, pattern in (sentence_labels or {}).items()
        }
        self._token_indexers = token_indexers or {"tokens": SingleIdTokenIndexer()}
        self._tokenizer = tokenizer

    @overrides
    def _read(self, file_path: PathOrStr) -> Iterator[Instance]:
        unseen = {*self._fields, *self._sentence_labels}
        try:
            with open_compressed(file_path, "rb", encoding=None) as lines:
                # Whole sentences go to the shards, after the labels have been carried forward.
                for sentence in self.shard_iterable(self._sentences(lines)):
                    instance = self._sentence_to_instance(sentence)
                    unseen.difference_update(instance.fields)
                    yield instance
        except LineError as error:
            raise ValueError(f"{file_path}, line {error.line}: {error}") from error
        if unseen:
            logger.warning(
                "No sentence read from %s has the fields %s. If it should, look for columns that "
                "are '_' throughout and compare the comments with the reader's sentence_labels.",
                file_path,
                format_names(sorted(unseen)),
            )

    def _sentences(self, lines: Iterable[bytes]) -> Iterator[_Sentence]:
        labels: Dict[str, str] = {}
        for block in blocks(lines):
            comments = [Line(n, text.strip()[1:].strip()) for n, text in block if is_comment(text)]
            if any(re.match(r"newdoc(\s|$)", comment.text) for comment in comments):
                labels = {}
            for comment in comments:
                labels = {**labels, **self._labels_in(comment)}
            yield _Sentence(block, labels)

    def _labels_in(self, comment: Line) -> Dict[str, str]:
        check_columns_named(comment)
        matches = {name: p.search(comment.text) for name, p in self._sentence_labels.items()}
        found = {name: match.group(1) for name, match in matches.items() if match}
        for name, label in found.items():
            if not label:
                raise LineError(
                    comment.number,
                    "The group of a regular expression must match a label of one character or "
                    f"more, but that of {name!r} matches {label!r} in "
                    f"{format_value(comment.text)}. "
                    "Correct the comment, or the reader's sentence_labels.",
                )
        return found

    def _sentence_to_instance(self, sentence: _Sentence) -> Instance:
        words = words_of(sentence.lines)
        labels = {field: column_of(field, words) for field in self._fields}
        forms = [word.token["form"] for word in words]
        try:
            return self.text_to_instance(forms, **labels, **sentence.labels)
        except WordError as error:
            raise LineError(words[error.position].line, str(error)) from error

    def text_to_instance(  # type: ignore[override]
        self, text: Union[str, List[str]], **labels: Any
    ) -> Instance:
        """
        # Parameters

        text : `Union[str, List[str]]`
            The words, or a string for the tokenizer.
        **labels : `Any`
            By the names in the reader's `fields` (lists with one item for each word; the `lemmas`
            as such, not as edit scripts) and `sentence_labels`; of other names nothing is read.

        # Returns

        `Instance`
            With the field `text`, and one for each label that is there and not `None`.

        # Raises

        `ValueError`
            If there are no words, a label does not fit them, or the `head_indices` are not a tree.
        """
        words = self._split(text)
        whole = TextField([Token(word) for word in words])
        fields: Dict[str, Field] = {TEXT: whole}
        for name in self._fields:
            if labels.get(name) is not None:
                fields[name] = _field(name, labels[name], words, whole)
        for name in self._sentence_labels:
            if labels.get(name) is not None:
                _check_kind(name, "class", labels[name], whole)
                fields[name] = LABEL_TYPES["class"].field(labels[name], whole, f"{name}_labels")
        return Instance(fields)

    def _split(self, text: Any) -> List[str]:
        words: List[str] = []
        if isinstance(text, str):
            # Not before it is needed: its language model may not be there.
            self._tokenizer = self._tokenizer or SpacyTokenizer()
            words = [str(token.text) for token in self._tokenizer.tokenize(text)]
        elif isinstance(text, list) and all(isinstance(word, str) and word for word in text):
            words = text
        if not words:
            raise ValueError(
                "A text must be a string, or a list of words that are not empty, and have at least "
                f"one word, but this one is {format_value(text)}. Correct it."
            )
        return words

    @overrides
    def apply_token_indexers(self, instance: Instance) -> None:
        instance.fields[TEXT].token_indexers = self._token_indexers  # type: ignore[attr-defined]


def _compile(name: str, pattern: str) -> "re.Pattern[str]":
    taken = [*RESERVED, *COLUMNS]
    if name in taken:
        raise ConfigurationError(
            "The name of a sentence label is that of its field, which must not be that of another "
            f"field, but sentence_labels has {name!r}. Choose one that is not in "
            f"{format_names(taken)}."
        )
    try:
        compiled = re.compile(pattern)
        problem = f"has {compiled.groups}"
    except re.error as error:
        compiled, problem = re.compile(""), f"cannot be compiled ({error})"
    if compiled.groups != 1:
        raise ConfigurationError(
            "sentence_labels must have regular expressions with exactly 1 group, which matches the "
            f"label, but {pattern!r} of {name!r} {problem}. Correct it; a group that is not the "
            "label is written (?:...)."
        )
    return compiled


def _field(name: str, value: Any, words: List[str], text: TextField) -> Field:
    if name == HEAD_INDICES:
        check_tree(value, words)
        # AllenNLP indexes no numbers, so the namespace stays empty.
        return SequenceLabelField(list(value), text, "head_indices_tags")
    _check_kind(name, "tags", value, text)
    if name == LEMMAS:
        value = [edit_script(word, str(lemma)) for word, lemma in zip(words, value)]
    return LABEL_TYPES["tags"].field(value, text, name)


def _check_kind(name: str, kind: str, value: Any, text: TextField) -> None:
    if not LABEL_TYPES[kind].fits(value, text):
        requires = LABEL_TYPES[kind].requires.format(T=text.sequence_length())
        raise ValueError(
            f"The label {name!r} must be {requires}, but it is {format_value(value)}. Correct it, "
            f"or "
            "leave it out."
        )
