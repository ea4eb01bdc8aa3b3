"""Writing predictions in CoNLL-U format."""

import unicodedata
from typing import Any, Dict, List, Optional, Tuple

from allennlp.common import JsonDict
from allennlp.common.checks import ConfigurationError

from multitask_model.data.dataset_readers.conllu_words import COLUMN_OF_FIELD
from multitask_model.data.dataset_readers.dependency_trees import WordError, validate_tree
from multitask_model.data.dataset_readers.edit_scripts import apply_edit_script
from multitask_model.errors import format_names
from multitask_model.model import MultiTaskModel

NONE, ROOT, OTHER_RELATION = "_", "root", "dep"
COLUMNS = list(dict.fromkeys(["lemma", "upos", "xpos", "feats", "head", "deprel"]))


class ConlluWriter:
    """
    Writes predictions as sentences in [CoNLL-U format](https://universaldependencies.org/format.html).

    The column of a head is that of the reader `conllu`'s field which the head takes as its label: a
    head with `arg_name_mapping: {upos_tags: "tags"}` predicts UPOS. Columns without a head are `_`.
    Of what the format requires, the following is ensured:

    - Forms and lemmas are in Unicode's form NFC, with single spaces as their only whitespace.
    - A text that the reader tokenized has `SpaceAfter=No` where there was no space.
    - The relation of the root is `root`, and `dep` replaces a predicted `root` elsewhere.
    - The lemma is the form if the predicted one is empty, or `_` for a word that has a lemma.

    # Parameters

    model : `MultiTaskModel`

    # Raises

    `ConfigurationError`
        If no head predicts a column.

    # Examples

        >>> from allennlp.data import Vocabulary
        >>> from allennlp.modules import Backbone
        >>> from multitask_model import TaggerHead
        >>> class Encoder(Backbone):
        ...     def forward(self, text): ...
        >>> vocab = Vocabulary(tokens_to_add={"labels": ["VERB", "PUNCT"]})
        >>> heads, mapping = {"upos": TaggerHead(vocab, 3)}, {"upos": {"upos_tags": "tags"}}
        >>> model = MultiTaskModel(vocab, Encoder(), heads, arg_name_mapping=mapping)
        >>> prediction = {"tokens": ["Go", "!"], "text": "Go!", "upos_tags": ["VERB", "PUNCT"]}
        >>> print(ConlluWriter(model).write(prediction).replace("\\t", " "))
        # sent_id = 1
        # text = Go!
        1 Go _ VERB _ _ _ _ _ SpaceAfter=No
        2 ! _ PUNCT _ _ _ _ _ _
    """

    def __init__(self, model: MultiTaskModel) -> None:
        self._sources: Dict[str, List[str]] = {column: [] for column in COLUMNS}
        for field, column in COLUMN_OF_FIELD.items():
            for head in model.tasks.heads:
                router = model.router(head)
                if field in router.named_arguments([field]):
                    self._sources[column].append(f"{head}_{router.argument_of(field)}")
        if not any(self._sources.values()):
            raise ConfigurationError(
                "The format 'conllu' requires a head that takes one of the fields "
                f"{format_names(COLUMN_OF_FIELD)} as its label, but got the heads "
                f"{format_names(model.tasks.heads)}. Name the field in arg_name_mapping: "
                '{"HEAD": {"upos_tags": "tags"}}.'
            )
        self._sentences = 0

    def write(self, prediction: JsonDict) -> str:
        """
        Returns the lines of a sentence, with a blank line at the end. Sentences are numbered in the
        order in which they are written.

        # Raises

        `ValueError`
            If the prediction has no tokens of one text, none of the columns, several predictions
            for one of them or for another number of words, or heads that are not a tree.
        """
        columns = self._columns(prediction)
        words = _words(prediction["tokens"], prediction.get("text"))
        columns = _complete(columns, prediction["tokens"], [form for form, _ in words])
        self._sentences += 1
        lines = [f"# sent_id = {self._sentences}", f"# text = {_text(words)}"]
        for index, (form, is_space_after) in enumerate(words):
            cells = [columns[column][index] if column in columns else NONE for column in COLUMNS]
            misc = NONE if is_space_after else "SpaceAfter=No"
            lines.append("\t".join([str(index + 1), form, *cells, NONE, misc]))
        return "\n".join([*lines, "", ""])

    def _columns(self, prediction: JsonDict) -> Dict[str, List[Any]]:
        found = {c: [n for n in names if n in prediction] for c, names in self._sources.items()}
        given = {column: names for column, names in found.items() if names}
        if not given or not prediction.get("tokens"):
            raise ValueError(
                "A sentence in CoNLL-U format requires the tokens of one text and predictions for "
                f"one of the columns {format_names(n.upper() for n in COLUMNS)}, but got a "
                f"prediction with {format_names(prediction)}. Write predictions of this task in "
                "the format 'jsonl'."
            )
        for column, names in given.items():
            size = len(prediction["tokens"])
            counts = {name: _count(prediction[name]) for name in names}
            if list(counts.values()) != [size]:
                raise ValueError(
                    f"The column {column.upper()} requires one prediction for each of {size} "
                    f"words, but got {counts}. Name one of the heads in the input, and do not "
                    "truncate its text."
                )
        return {column: prediction[name] for column, (name,) in given.items()}


def _count(values: object) -> object:
    return len(values) if isinstance(values, list) else f"a {type(values).__name__}"


def _words(tokens: List[str], text: Optional[str]) -> List[Tuple[str, bool]]:
    """The form of each word, and whether a space is after it. The text is that of the tokens."""
    words, rest = [], " ".join(tokens) if text is None else text
    for token in tokens:
        rest = rest[len(token) :]
        words.append((_clean(token) or NONE, not rest or rest.startswith(" ")))
        rest = rest[1:] if rest.startswith(" ") else rest
    return words


def _clean(text: str) -> str:
    # JSON may have half of a surrogate pair, such as that of an emoji, which no file can have.
    text = text.encode(errors="replace").decode()
    return unicodedata.normalize("NFC", " ".join(text.split()))


def _text(words: List[Tuple[str, bool]]) -> str:
    return "".join(form + (" " if is_space_after else "") for form, is_space_after in words).strip()


def _complete(
    columns: Dict[str, List[Any]], tokens: List[str], forms: List[str]
) -> Dict[str, List[str]]:
    """Makes cells of the predicted values."""
    cells = {name: ["_".join(str(v).split()) or NONE for v in vs] for name, vs in columns.items()}
    relations = cells.get("deprel")
    if "head" in columns:
        _check_tree(columns["head"], forms)
        if relations is not None:
            is_root = [head == 0 for head in columns["head"]]
            cells["deprel"] = relations = list(map(_relation, relations, is_root))
    if "lemma" in columns:
        lemmas = map(apply_edit_script, tokens, columns["lemma"])
        cells["lemma"] = list(map(_lemma, forms, lemmas, relations or [NONE] * len(forms)))
    return cells


def _relation(predicted: str, is_root: bool) -> str:
    if is_root:
        return ROOT
    return OTHER_RELATION if predicted == ROOT else predicted


def _lemma(form: str, predicted: str, relation: str) -> str:
    lemma = _clean(predicted)
    may_lack = relation.split(":")[0] == "goeswith"
    return form if not lemma or (lemma == NONE and not may_lack) else lemma


def _check_tree(heads: List[int], forms: List[str]) -> None:
    try:
        validate_tree(heads, forms)
    except WordError as error:
        raise ValueError(
            f"A sentence in CoNLL-U format requires heads that are a tree, but got {heads} for "
            f"{format_names(forms)}. Call model.eval() before predicting: a dependency_parser "
            "predicts trees in evaluation mode only."
        ) from error
