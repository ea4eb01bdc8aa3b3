"""Precision, recall and F1 of labeled spans."""

from typing import Dict, List, Optional, Set

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data.dataset_readers.dataset_utils.span_utils import TypedStringSpan
from allennlp.nn.util import dist_reduce_sum
from allennlp.training.metrics import Metric
from overrides import overrides

from multitask_model.modules.label_vocabulary import LabelVocabulary
from multitask_model.modules.span_encodings import ENCODINGS, check_encoding

EPSILON = 1e-13  # as in AllenNLP's metrics


class SpanF1(Metric):
    """
    Precision, recall and F1 of the spans of all labels together, equal to the overall scores of
    AllenNLP's `SpanBasedF1Measure`. It takes predicted tags instead of scores, supports distributed
    training by summing the counts of all processes, and skips ill-formed BIOUL spans instead of
    raising an error. Spans whose label begins with `C-` are spans like any other, whereas AllenNLP
    merges those labeled `C-X` with all spans whose label contains `X`.

    # Parameters

    labels : `LabelVocabulary`
        The tags.
    label_encoding : `str`
        `"BIO"` or its other name `"IOB2"`, `"IOB1"`, `"BIOUL"`, `"BIOES"` or `"BMES"`.

    # Raises

    `ConfigurationError`
        If the encoding is unknown, or a label is not a tag of it.

    # Examples

        >>> from allennlp.data import Vocabulary
        >>> vocab = Vocabulary(tokens_to_add={"labels": ["O", "B-city", "I-city"]})
        >>> f1 = SpanF1(LabelVocabulary(vocab, "labels"), "BIO")
        >>> f1(torch.tensor([[1, 2, 0, 1]]), torch.tensor([[1, 2, 0, 0]]))
        >>> f1.true_positives, f1.false_positives, f1.false_negatives
        (1, 1, 0)
        >>> f1.get_metric()["precision-overall"]
        0.499...
    """

    supports_distributed = True
    summed_attributes = ("true_positives", "false_positives", "false_negatives")

    def __init__(self, labels: LabelVocabulary, label_encoding: str) -> None:
        check_encoding(labels, label_encoding)
        self._names = labels.names
        self._encoding = ENCODINGS[label_encoding]
        self.true_positives = 0
        self.false_positives = 0
        self.false_negatives = 0

    @overrides
    def __call__(
        self,
        predictions: torch.Tensor,
        gold_labels: torch.Tensor,
        mask: Optional[torch.Tensor] = None,
    ) -> None:
        """
        # Parameters

        predictions : `torch.Tensor`
            Of shape (B, T): the index of the predicted tag of each token.
        gold_labels : `torch.Tensor`
            Of shape (B, T).
        mask : `torch.Tensor`, optional (default = `None`)
            Of shape (B, T), `True` for tokens, which precede all padding.

        # Raises

        `ConfigurationError`
            If a token has a gold label that is not in the vocabulary.
        """
        if mask is None:
            mask = torch.ones_like(gold_labels, dtype=torch.bool)
        matched = predicted_total = gold_total = 0
        lengths = mask.sum(-1).tolist()
        for predicted, gold, length in zip(predictions.tolist(), gold_labels.tolist(), lengths):
            predicted_spans, gold_spans = (
                self._spans(predicted[:length]),
                self._spans(gold[:length]),
            )
            matched += len(predicted_spans & gold_spans)
            predicted_total += len(predicted_spans)
            gold_total += len(gold_spans)
        counts = torch.tensor([matched, predicted_total, gold_total], device=predictions.device)
        matched, predicted_total, gold_total = dist_reduce_sum(counts).tolist()
        self.true_positives += matched
        self.false_positives += predicted_total - matched
        self.false_negatives += gold_total - matched

    def _spans(self, tags: List[int]) -> Set[TypedStringSpan]:
        invalid = [tag for tag in tags if not 0 <= tag < len(self._names)]
        if invalid:
            raise ConfigurationError(
                f"Tags must be indices from 0 to {len(self._names) - 1}, but got {invalid[0]}. "
                "Index the tags with the vocabulary of the head."
            )
        return set(self._encoding.to_spans([self._names[tag] for tag in tags]))

    @overrides
    def get_metric(self, reset: bool = False) -> Dict[str, float]:
        """`precision-overall`, `recall-overall` and `f1-measure-overall`."""
        precision = self.true_positives / (self.true_positives + self.false_positives + EPSILON)
        recall = self.true_positives / (self.true_positives + self.false_negatives + EPSILON)
        metrics = {
            "precision-overall": precision,
            "recall-overall": recall,
            "f1-measure-overall": 2 * precision * recall / (precision + recall + EPSILON),
        }
        if reset:
            self.reset()
        return metrics

    @overrides
    def reset(self) -> None:
        self.true_positives = 0
        self.false_positives = 0
        self.false_negatives = 0
