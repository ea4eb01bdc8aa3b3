"""Encodings of labeled spans as one tag for each token: BIO, IOB1, BIOUL and BMES."""

from typing import Callable, Dict, List, NamedTuple, Optional

from allennlp.common.checks import ConfigurationError
from allennlp.data.dataset_readers.dataset_utils.span_utils import (
    TypedStringSpan,
    bio_tags_to_spans,
    bmes_tags_to_spans,
    iob1_tags_to_spans,
)

from multitask_model.errors import check_known, format_names
from multitask_model.modules.label_vocabulary import LabelVocabulary


def spans_of_bioul(
    tags: List[str], classes_to_ignore: Optional[List[str]] = None
) -> List[TypedStringSpan]:
    """
    Returns the spans of a BIOUL tag sequence. Tags outside a well-formed span (B, I ..., L with one
    label, or U) are skipped, whereas AllenNLP's `bioul_tags_to_spans` raises an error for them.

    # Parameters

    tags : `List[str]`
    classes_to_ignore : `List[str]`, optional (default = `None`)
        Labels whose spans are left out.

    # Returns

    `List[TypedStringSpan]`
        The label of each span, with the positions of its first and last token.

    # Examples

        >>> spans_of_bioul(["B-city", "L-city", "O", "U-day", "L-day"])
        [('city', (0, 1)), ('day', (3, 3))]
    """
    spans: List[TypedStringSpan] = []
    start = 0
    open_label: Optional[str] = None
    for position, tag in enumerate(tags):
        prefix, label = tag[0], tag[2:]
        continues = prefix in "IL" and label == open_label
        if prefix == "U" or (prefix == "L" and continues):
            spans.append((label, (position if prefix == "U" else start, position)))
        if prefix == "B":
            start, open_label = position, label
        elif not (prefix == "I" and continues):
            open_label = None
    return [span for span in spans if span[0] not in (classes_to_ignore or ())]


class SpanEncoding(NamedTuple):
    """An encoding of spans."""

    prefixes: str
    """The letters that tags may start with."""
    to_spans: Callable[[List[str]], List[TypedStringSpan]]
    """Returns the spans of one sequence of tags."""


ENCODINGS: Dict[str, SpanEncoding] = {
    "BIO": SpanEncoding("BIO", bio_tags_to_spans),
    "IOB1": SpanEncoding("BIO", iob1_tags_to_spans),
    "BIOUL": SpanEncoding("BIOUL", spans_of_bioul),
    "BMES": SpanEncoding("BMES", bmes_tags_to_spans),
}


def check_encoding(labels: LabelVocabulary, label_encoding: str) -> None:
    """
    # Raises

    `ConfigurationError`
        If the encoding is unknown, or a label is not a tag of it.
    """
    check_known("label_encoding", "a span encoding", [label_encoding], ENCODINGS)
    prefixes = ENCODINGS[label_encoding].prefixes
    invalid = [n for n in labels.names if n[:1] not in prefixes or n[1:2].isalnum()]
    if invalid:
        hint = (
            "; a namespace whose name ends in 'tags' or 'labels' has no padding and OOV entries"
            if labels.is_padded
            else ""
        )
        raise ConfigurationError(
            f"{label_encoding} tags must be one of {', '.join(prefixes)}, alone or followed by '-' "
            f"and a label, but got {format_names(invalid)} in the namespace {labels.namespace!r}. "
            f"Correct label_encoding or label_namespace{hint}."
        )
