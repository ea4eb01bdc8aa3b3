"""Precision, recall and F1 of the spans that tags encode."""

from typing import Any, Dict, List, Optional, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.nn.util import dist_reduce_sum
from allennlp.training.metrics import SpanBasedF1Measure

from multitask_model.errors import check_known, format_names
from multitask_model.modules.label_vocabulary import LabelVocabulary

ENCODINGS = {"BIO": "BIO", "IOB1": "BIO", "BIOUL": "BIOUL", "BMES": "BMES"}
"""What tags may begin with, by the name of the encoding."""


class SpanF1:
    """
    AllenNLP's `SpanBasedF1Measure` over all labels of spans together, in distributed training over
    those of all processes. What is no span, as a classifier of tokens may predict, is left out.

    # Parameters

    vocab : `Vocabulary`
    labels : `LabelVocabulary`
        The tags.
    label_encoding : `str`
        One of `ENCODINGS`.

    # Raises

    `ConfigurationError`
        If there is no such encoding, or the tags are not of it.
    """

    def __init__(self, vocab: Vocabulary, labels: LabelVocabulary, label_encoding: str) -> None:
        check_encoding(labels, label_encoding)
        # AllenNLP's function for BIOUL refuses what is no span.
        is_bioul = label_encoding == "BIOUL"
        self._measure = SpanBasedF1Measure(
            vocab,
            labels.namespace,
            label_encoding=None if is_bioul else label_encoding,
            tags_to_spans_function=spans_of_bioul if is_bioul else None,
        )
        self._counts = [0, 0, 0]  # true positives, false positives, false negatives

    def __call__(self, scores: torch.Tensor, tags: torch.Tensor, mask: Any) -> None:
        """Of shapes (B, T, C), (B, T) and (B, T). The tag with the highest score is predicted."""
        measure = self._measure
        measure(scores, tags, mask)
        found = (measure._true_positives, measure._false_positives, measure._false_negatives)
        # It refuses to put those of several processes together.
        counts = torch.tensor([sum(of_label.values()) for of_label in found])
        reduced = dist_reduce_sum(counts.to(scores.device)).tolist()
        self._counts = [one + other for one, other in zip(self._counts, reduced)]
        measure.reset()

    def get_metric(self, reset: bool = False) -> Dict[str, float]:
        """`precision-overall`, `recall-overall` and `f1-measure-overall`."""
        names = ("precision-overall", "recall-overall", "f1-measure-overall")
        metrics = dict(zip(names, self._measure._compute_metrics(*self._counts)))
        if reset:
            self._counts = [0, 0, 0]
        return metrics


def spans_of_bioul(
    tags: List[str], classes_to_ignore: Optional[List[str]] = None
) -> List[Tuple[str, Tuple[int, int]]]:
    """
    The spans of tags in the encoding BIOUL, each with its label and its first and last token. What
    does not begin with B and go on with I to L, all of one label, is no span.
    """
    spans: List[Tuple[str, Tuple[int, int]]] = []
    start = 0
    open_label: Optional[str] = None
    for position, tag in enumerate(tags):
        kind, label = tag[0], tag[2:]
        goes_on = kind in "IL" and label == open_label
        if kind == "U" or (kind == "L" and goes_on):
            spans.append((label, (position if kind == "U" else start, position)))
        if kind == "B":
            start, open_label = position, label
        elif not (kind == "I" and goes_on):
            open_label = None
    return [span for span in spans if span[0] not in (classes_to_ignore or ())]


def check_encoding(labels: LabelVocabulary, label_encoding: str) -> None:
    """
    # Raises

    `ConfigurationError`
        If there is no such encoding, or the tags are not of it.
    """
    check_known("label_encoding", "an encoding of spans", [label_encoding], ENCODINGS)
    kinds = ENCODINGS[label_encoding]
    unfit = [n for n in labels.names if n[:1] not in kinds or n[1:2].isalnum()]
    if unfit:
        raise ConfigurationError(
            f"Tags in the encoding {label_encoding} must be one of {', '.join(kinds)}, with a '-' "
            f"and a label after it or nothing, but the namespace {labels.namespace!r} has "
            f"{format_names(unfit)}. Correct label_encoding or label_namespace"
            + (
                ", or let the name of the namespace end in 'tags' or 'labels', so that it has no "
                "entries for padding and unknown tags."
                if labels.is_padded
                else "."
            )
        )
