"""Precision, recall and F1 of the spans that tags encode."""

from typing import Any, Dict

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.training.metrics import SpanBasedF1Measure

from multitask_model.errors import check_known, listing
from multitask_model.heads.labels import Labels

ENCODINGS = {"BIO": "BIO", "IOB1": "BIO", "BIOUL": "BIOUL", "BMES": "BMES"}
"""What tags may begin with, by the name of the encoding."""


class SpanScores:
    """
    AllenNLP's `SpanBasedF1Measure` over all labels of spans together.

    # Parameters

    vocab : `Vocabulary`
    labels : `Labels`
        The tags.
    label_encoding : `str`
        One of `ENCODINGS`.

    # Raises

    `ConfigurationError`
        If there is no such encoding, or the tags are not of it.
    """

    def __init__(self, vocab: Vocabulary, labels: Labels, label_encoding: str) -> None:
        check_encoding(labels, label_encoding)
        self._measure = SpanBasedF1Measure(vocab, labels.namespace, label_encoding=label_encoding)

    def __call__(self, scores: torch.Tensor, tags: torch.Tensor, mask: Any) -> None:
        """Of shapes (B, T, C), (B, T) and (B, T). The tag with the highest score is predicted."""
        self._measure(scores, tags, mask)

    def get_metric(self, reset: bool = False) -> Dict[str, float]:
        """`precision-overall`, `recall-overall` and `f1-measure-overall`."""
        metrics = self._measure.get_metric(reset)
        return {name: value for name, value in metrics.items() if name.endswith("-overall")}


def check_encoding(labels: Labels, label_encoding: str) -> None:
    """
    # Raises

    `ConfigurationError`
        If there is no such encoding, or the tags are not of it.
    """
    check_known("label_encoding", "an encoding of spans", [label_encoding], ENCODINGS)
    unfit = [name for name in labels.names if name[:1] not in ENCODINGS[label_encoding]]
    if unfit:
        raise ConfigurationError(
            f"Tags in the encoding {label_encoding} must begin with "
            f"{', '.join(ENCODINGS[label_encoding])}, but the namespace {labels.namespace!r} has "
            f"{listing(unfit)}. Correct label_encoding or label_namespace"
            + (
                ", or let the name of the namespace end in 'tags' or 'labels', so that it has no "
                "entries for padding and unknown tags."
                if labels.is_padded
                else "."
            )
        )
