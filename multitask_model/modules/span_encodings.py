"""Encodings of labeled spans as one tag for each token: BIO (IOB2), IOB1, BIOUL, BIOES and BMES."""

import logging
from typing import (
    Callable,
    Collection,
    Dict,
    Iterable,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

from allennlp.common.checks import ConfigurationError
from allennlp.data.dataset_readers.dataset_utils.span_utils import (
    TypedStringSpan,
    bio_tags_to_spans,
    bmes_tags_to_spans,
    iob1_tags_to_spans,
)
from allennlp.modules.conditional_random_field import allowed_transitions

from multitask_model.errors import check_known, format_names
from multitask_model.modules.label_vocabulary import LabelVocabulary

logger = logging.getLogger(__name__)

_TO_BIOUL = str.maketrans("ES", "LU")


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


def spans_of_bioes(
    tags: List[str], classes_to_ignore: Optional[List[str]] = None
) -> List[TypedStringSpan]:
    """
    Returns the spans of a BIOES tag sequence, which is BIOUL with E for L and S for U, as
    `spans_of_bioul` does.

        >>> spans_of_bioes(["B-city", "E-city", "O", "S-day", "E-day"])
        [('city', (0, 1)), ('day', (3, 3))]
    """
    return spans_of_bioul(_bioes_to_bioul(tags), classes_to_ignore)


def _bioes_to_bioul(tags: Sequence[str]) -> List[str]:
    return [tag[:1].translate(_TO_BIOUL) + tag[1:] for tag in tags]


class SpanEncoding(NamedTuple):
    """
    An encoding of spans.

        >>> BIO.to_spans(["B-city", "I-city", "O"])
        [('city', (0, 1))]
        >>> BIO.invalid_tags(["B-city", "L-city"]), BIO.missing_tags(["I-city"])
        (['L-city'], ['B-city'])
    """

    prefixes: str
    """The letters that tags may start with."""
    required: Mapping[str, str]
    """For a letter, those that the tags of the same label must include: a span with it has them."""
    to_spans: Callable[[List[str]], List[TypedStringSpan]]
    """Returns the spans of one sequence of tags."""

    def invalid_tags(self, tags: Iterable[str]) -> List[str]:
        """Those of the `tags` that are not tags of this encoding."""
        return [tag for tag in tags if tag[:1] not in self.prefixes or tag[1:2].isalnum()]

    def missing_tags(self, tags: Collection[str]) -> List[str]:
        """The tags that spans with some of the `tags` have too, but that `tags` lack."""
        required = [other + tag[1:] for tag in tags for other in self.required.get(tag[:1], "")]
        return sorted(set(required) - set(tags))


BIO = SpanEncoding("BIO", {"I": "B"}, bio_tags_to_spans)
ENCODINGS: Dict[str, SpanEncoding] = {
    "BIO": BIO,
    "IOB1": SpanEncoding("BIO", {"B": "I"}, iob1_tags_to_spans),
    "BIOUL": SpanEncoding("BIOUL", {"B": "L", "I": "BL", "L": "B"}, spans_of_bioul),
    "BIOES": SpanEncoding("BIOES", {"B": "E", "I": "BE", "E": "B"}, spans_of_bioes),
    "BMES": SpanEncoding("BMES", {"B": "E", "M": "BE", "E": "B"}, bmes_tags_to_spans),
    "IOB2": BIO,
}


def to_spans(tags: List[str], label_encoding: str) -> List[Dict[str, object]]:
    """
    Returns the spans of one sequence of tags from left to right: the `type` of each, and its tokens
    from `start` up to, but not including, `end`.

        >>> to_spans(["O", "B-city", "I-city"], "BIO")
        [{'type': 'city', 'start': 1, 'end': 3}]
    """
    found = ENCODINGS[label_encoding].to_spans(tags)
    in_order = sorted(found, key=lambda span: span[1])
    return [{"type": label, "start": start, "end": end + 1} for label, (start, end) in in_order]


def check_encoding(labels: LabelVocabulary, label_encoding: str) -> None:
    """
    Checks that the labels are tags of an encoding. Logs a warning if some of them cannot be in any
    well-formed sequence, because the vocabulary lacks another tag of their spans.

    # Raises

    `ConfigurationError`
        If the encoding is unknown, a label is not a tag of it, or the labels have none of the tags
        that begin or end its spans, such as BIO tags for BIOUL.
    """
    check_known("label_encoding", "a span encoding", [label_encoding], ENCODINGS)
    encoding = ENCODINGS[label_encoding]
    invalid = encoding.invalid_tags(labels.names)
    if invalid:
        raise _invalid_tags(labels, label_encoding, invalid)
    missing = encoding.missing_tags(labels.names)
    letters = {tag[:1] for tag in labels.names}
    absent = [tag[:1] for tag in missing if tag[:1] not in letters]
    if absent:
        raise _absent_letter(labels, label_encoding, absent[0])
    if missing:
        logger.warning(
            "%s tags of the namespace %r lack %s, which spans with other tags of the same labels "
            "must have. Check the label_encoding and the tags of the dataset.",
            label_encoding,
            labels.namespace,
            format_names(missing),
        )


def find_transitions(tags: Sequence[str], label_encoding: str) -> List[Tuple[int, int]]:
    """
    Returns the pairs of indices of tags that may follow each other in an encoding, by AllenNLP's
    `allowed_transitions`, which does not know `"IOB2"` and `"BIOES"`. The two indices after those
    of the tags are the start and the end of a sequence.

        >>> find_transitions(["O", "B-city", "E-city"], "BIOES")
        [(0, 0), (0, 1), (0, 4), (1, 2), (2, 0), (2, 1), (2, 4), (3, 0), (3, 1)]
    """
    if label_encoding == "BIOES":
        label_encoding, tags = "BIOUL", _bioes_to_bioul(tags)
    name = "BIO" if ENCODINGS[label_encoding] is BIO else label_encoding
    return allowed_transitions(name, dict(enumerate(tags)))


def _invalid_tags(
    labels: LabelVocabulary, label_encoding: str, invalid: List[str]
) -> ConfigurationError:
    hint = (
        "; a namespace whose name ends in 'tags' or 'labels' has no padding and OOV entries"
        if labels.is_padded
        else ""
    )
    return ConfigurationError(
        f"{label_encoding} tags must be one of {', '.join(ENCODINGS[label_encoding].prefixes)}, "
        f"alone or followed by '-' and a label, but got {format_names(invalid)} in the namespace "
        f"{labels.namespace!r}. Correct label_encoding or label_namespace{hint}."
        f"{_fitting_encodings(labels)}"
    )


def _absent_letter(labels: LabelVocabulary, label_encoding: str, letter: str) -> ConfigurationError:
    return ConfigurationError(
        f"{label_encoding} tags of spans must include tags that start with {letter!r}, but got "
        f"only {format_names(labels.names)} in the namespace {labels.namespace!r}. Correct "
        f"label_encoding, or the tags of the dataset.{_fitting_encodings(labels)}"
    )


def _fitting_encodings(labels: LabelVocabulary) -> str:
    fitting = [
        name
        for name, encoding in ENCODINGS.items()
        if not encoding.invalid_tags(labels.names) and not encoding.missing_tags(labels.names)
    ]
    return f" The tags fit {' or '.join(map(repr, fitting))}." if fitting else ""
