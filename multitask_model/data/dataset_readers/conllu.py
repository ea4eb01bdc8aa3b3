"""The `conllu` reader: sentences with tags, dependency trees, lemmas and labels."""

from typing import Dict, Iterator, List, Optional, Union

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Field, Instance, Token, TokenIndexer, Tokenizer
from allennlp.data.dataset_readers.dataset_reader import PathOrStr
from allennlp.data.fields import SequenceLabelField, TextField
from overrides import overrides

from multitask_model.data.dataset_readers.conllu_comments import LabeledSentence, SentenceLabels
from multitask_model.data.dataset_readers.conllu_lines import LineError, split_sentences
from multitask_model.data.dataset_readers.conllu_words import (
    COLUMN_OF_FIELD,
    LEMMAS,
    column_values,
    parse_words,
)
from multitask_model.data.dataset_readers.dependency_trees import WordError, validate_tree
from multitask_model.data.dataset_readers.edit_scripts import edit_script
from multitask_model.data.dataset_readers.field_names import HEAD_INDICES, RESERVED, TEXT
from multitask_model.data.dataset_readers.file_lines import read_lines
from multitask_model.data.dataset_readers.label_types import CLASS, TAGS
from multitask_model.data.dataset_readers.text_reader import TextReader, warn_about_missing_fields
from multitask_model.errors import check_known

_LABEL_ADVICE = "Correct it, or leave it out."


@DatasetReader.register("conllu")
class ConlluReader(TextReader):
    r"""
    Reads files in [CoNLL-U format](https://universaldependencies.org/format.html), one instance per
    sentence. The files may be compressed (`.gz`, `.bz2`, `.xz`). Rows are parsed by the `conllu`
    library.

    The field `text` has the words: the rows with an integer id. Multiword token ranges (`3-4`) and
    empty nodes (`8.1`) are validated and skipped. The other fields have one label per word:

    - `upos_tags`, `xpos_tags` and `head_tags`: the columns UPOS, XPOS and DEPREL.
    - `head_indices`: the column HEAD, 0 for the root of the tree and from 1 for words.
    - `feats`: the column FEATS. All features of a word are one tag; `_` is the tag for none.
    - `lemmas`: the column LEMMA, as `edit_script`s. `apply_edit_script` converts predictions to
      lemmas.

    Each field except `head_indices` has a vocabulary namespace of the same name. By default,
    AllenNLP's vocabulary has no padding and OOV entries in namespaces that end in `tags`, so an
    unknown tag is an error there. `feats` and `lemmas` need these entries and have them. AllenNLP
    logs a recommendation to rename such namespaces, which does not apply here.

    If a column other than FEATS is `_` for all words of a sentence, the instance lacks its field.
    If it is `_` for only some of them, that is an error. The exception is LEMMA: `_` is the lemma
    of the word `_` and of words with the relation `goeswith`.

    Registered as a `DatasetReader` with name "conllu".

    # Parameters

    fields : `List[str]`, optional (default = all six)
        The fields to read. The columns of other fields are not validated beyond what the `conllu`
        library does.
    sentence_labels : `Dict[str, str]`, optional (default = `None`)
        Labels of sentences, as regular expressions by name, for example
        `{"genre": "newdoc id = ([a-z]+)"}`. Each expression has one group and is searched for in
        every comment, without the `#` and the spaces around it. What the group matches is the label
        of the sentence and of those after it, up to the next match or the next `newdoc` comment,
        which starts a document. A sentence without a label lacks the field. The vocabulary
        namespace is `NAME_labels`.
    token_indexers : `Dict[str, TokenIndexer]`, optional
        (default = `{"tokens": SingleIdTokenIndexer()}`)
    tokenizer : `Tokenizer`, optional (default = `PunctuationTokenizer()`)
        Tokenizes strings for prediction. Files are not tokenized. The default splits at whitespace,
        and makes a token of each punctuation character and symbol; `"spacy"` requires one of
        spaCy's language models.
    max_instances : `int`, optional (default = `None`)
        As in `DatasetReader`.
    serialization_dir : `str`, optional (default = `None`)
        As in `DatasetReader`.

    # Raises

    `ConfigurationError`
        If `fields` or `sentence_labels` has a name or a regular expression that is invalid.
    `ValueError`
        While reading, with the file and the number of the line, after decompression: if a row does
        not have 10 columns that the library can parse, if ids are out of order, if a sentence has
        no words, if a column is annotated for only some words, or if the heads are not a tree.

    # Examples

    >>> from tempfile import NamedTemporaryFile
    >>> reader = ConlluReader(fields=["upos_tags", "lemmas"])
    >>> rows = ["1 Dogs dog NOUN _ _ 2 nsubj _ _", "2 bark bark VERB _ _ 0 root _ _"]
    >>> with NamedTemporaryFile("w") as file:
    ...     print("\n".join(rows).replace(" ", "\t"), file=file, flush=True)
    ...     (instance,) = reader.read(file.name)
    >>> instance["upos_tags"].labels, instance["lemmas"].labels
    (['NOUN', 'VERB'], ['lower,end-1', 'lower'])
    """

    def __init__(
        self,
        fields: Optional[List[str]] = None,
        sentence_labels: Optional[Dict[str, str]] = None,
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        tokenizer: Optional[Tokenizer] = None,
        max_instances: Optional[int] = None,
        serialization_dir: Optional[str] = None,
    ) -> None:
        super().__init__(tokenizer, token_indexers, max_instances, serialization_dir)
        if isinstance(fields, str):
            raise ConfigurationError(
                f"fields must be a list of names, but got {fields!r}. Write [{fields!r}]."
            )
        names = list(COLUMN_OF_FIELD) if fields is None else fields
        check_known("fields", "fields that this reader can read", names, COLUMN_OF_FIELD)
        self._fields = [field for field in COLUMN_OF_FIELD if field in names]
        self._sentence_labels = SentenceLabels(
            sentence_labels or {}, reserved=[*RESERVED, *COLUMN_OF_FIELD]
        )

    @overrides
    def _read(self, file_path: PathOrStr) -> Iterator[Instance]:
        return warn_about_missing_fields(
            self._read_sentences(file_path),
            [*self._fields, *self._sentence_labels.names],
            file_path,
            "look for columns that are '_' in every row, and compare the comments with the "
            "reader's sentence_labels",
        )

    def _read_sentences(self, file_path: PathOrStr) -> Iterator[Instance]:
        try:
            lines = split_sentences(read_lines(file_path))
            sentences = self._sentence_labels.label_sentences(lines)
            # Sharded after labeling, because labels come from sentences of other shards too.
            for sentence in self.shard_iterable(sentences):
                yield self._sentence_to_instance(sentence)
        except LineError as error:
            raise ValueError(f"{file_path}, line {error.line}: {error}") from error

    def _sentence_to_instance(self, sentence: LabeledSentence) -> Instance:
        words = parse_words(sentence.lines)
        labels = {field: column_values(field, words) for field in self._fields}
        forms = [word.token["form"] for word in words]
        try:
            return self.text_to_instance(forms, **labels, **sentence.labels)
        except WordError as error:
            raise LineError(words[error.position].line, str(error)) from error

    def text_to_instance(  # type: ignore[override]
        self, text: Union[str, List[str]], **labels: object
    ) -> Instance:
        """
        # Parameters

        text : `Union[str, List[str]]`
            The words, or a string to tokenize.
        **labels : `object`
            The labels by the names in the reader's `fields` and `sentence_labels`. Labels of words
            are lists with one item per word; `lemmas` are the lemmas themselves. Other names are
            ignored.

        # Returns

        `Instance`
            With the field `text`, and a field for each label that is not `None`.

        # Raises

        `ValueError`
            If there are no words, a label is invalid, or the `head_indices` are not a tree.
        """
        # Only the string of each token is kept, as in a file, and its place in the text.
        tokens = [Token(str(token), idx=token.idx) for token in self.tokenize(text)]
        words = [str(token) for token in tokens]
        text_field = TextField(tokens)
        fields: Dict[str, Field[torch.Tensor]] = {}
        for name in self._fields:
            if labels.get(name) is not None:
                fields[name] = _word_label_field(name, labels[name], words, text_field)
        for name in self._sentence_labels.names:
            if labels.get(name) is not None:
                label = CLASS.validate(name, labels[name], len(words), _LABEL_ADVICE)
                fields[name] = CLASS.field(label, text_field, f"{name}_labels")
        return Instance({TEXT: text_field, **fields})


def _word_label_field(
    name: str, labels: object, words: List[str], text: TextField
) -> "Field[torch.Tensor]":
    if name == HEAD_INDICES:
        # Integers are not indexed, so nothing is added to this namespace.
        return SequenceLabelField(validate_tree(labels, words), text, f"{HEAD_INDICES}_tags")
    tags = TAGS.validate(name, labels, len(words), _LABEL_ADVICE)
    if name == LEMMAS:
        tags = [edit_script(word, lemma) for word, lemma in zip(words, tags)]
    return TAGS.field(tags, text, name)
