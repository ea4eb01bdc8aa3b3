"""Labels of sentences that are found in the comments of a CoNLL-U file."""

import re
from typing import Dict, Iterable, Iterator, List, NamedTuple, Pattern, Sequence

from allennlp.common.checks import ConfigurationError

from multitask_model.data.dataset_readers.conllu_lines import COLUMNS, Line, LineError
from multitask_model.errors import format_names, format_value

_NEW_DOCUMENT = re.compile(r"newdoc(\s|$)")


class LabeledSentence(NamedTuple):
    """The lines of a sentence and the labels of the sentence by name."""

    lines: List[Line]
    labels: Dict[str, str]


class SentenceLabels:
    """
    Finds labels of sentences in comments. A label applies to its sentence and to those after it, up
    to the next label of the same name or the next document.

        >>> labels = SentenceLabels({"genre": "^newdoc id = ([a-z]+)-"}, reserved=["text"])
        >>> sentences = [[Line(1, "# newdoc id = blog-7")], [Line(3, "# sent_id = 2")]]
        >>> [sentence.labels for sentence in labels.label_sentences(sentences)]
        [{'genre': 'blog'}, {'genre': 'blog'}]

    # Parameters

    patterns : `Dict[str, str]`
        A regular expression for each label. Its only group matches the label.
    reserved : `Sequence[str]`
        Names that a label cannot have.
    """

    def __init__(self, patterns: Dict[str, str], reserved: Sequence[str]) -> None:
        for name in patterns:
            if name in reserved:
                raise ConfigurationError(
                    "sentence_labels must not use the name of another field, but got "
                    f"{name!r}. Choose a name that is not in {format_names(reserved)}."
                )
        self._patterns = {name: _compile(name, pattern) for name, pattern in patterns.items()}
        self.names = list(patterns)

    def label_sentences(self, sentences: Iterable[List[Line]]) -> Iterator[LabeledSentence]:
        """Adds to each sentence its labels, which may come from the comments of an earlier one."""
        labels: Dict[str, str] = {}
        for lines in sentences:
            comments = [
                Line(line.number, line.text.strip()[1:].strip())
                for line in lines
                if line.is_comment
            ]
            if any(_NEW_DOCUMENT.match(comment.text) for comment in comments):
                labels = {}
            for comment in comments:
                _check_global_columns(comment)
            labels = {**labels, **self.labels_in(comments)}
            yield LabeledSentence(lines, labels)

    def labels_in(self, comments: Iterable[Line]) -> Dict[str, str]:
        """Returns the labels in comments. The last comment with a label of a name determines it."""
        labels: Dict[str, str] = {}
        for comment in comments:
            labels.update(self._labels_in_comment(comment))
        return labels

    def _labels_in_comment(self, comment: Line) -> Dict[str, str]:
        matches = {name: p.search(comment.text) for name, p in self._patterns.items()}
        labels = {name: match.group(1) for name, match in matches.items() if match}
        for name, label in labels.items():
            if not label:
                raise LineError(
                    comment.number,
                    f"The group of the regular expression for {name!r} must match at least one "
                    f"character, but got {label!r} in the comment {format_value(comment.text)}. "
                    "Correct the comment, or the reader's sentence_labels.",
                )
        return labels


def _compile(name: str, pattern: str) -> Pattern[str]:
    try:
        compiled = re.compile(pattern)
        problem = f"{compiled.groups} groups"
    except re.error as error:
        compiled, problem = re.compile(""), f"invalid: {error}"
    if compiled.groups != 1:
        raise ConfigurationError(
            "sentence_labels must be regular expressions with exactly 1 group, which matches the "
            f"label, but got {pattern!r} for {name!r} ({problem}). Correct it, and write a group "
            "that is not the label as (?:...)."
        )
    return compiled


def _check_global_columns(comment: Line) -> None:
    name, _, columns = comment.text.partition("=")
    if name.strip() == "global.columns" and columns.upper().split() != COLUMNS:
        raise LineError(
            comment.number,
            f"The columns must be {' '.join(COLUMNS)}, but got {format_value(comment.text)}. "
            "Convert the file from CoNLL-U Plus to CoNLL-U.",
        )
