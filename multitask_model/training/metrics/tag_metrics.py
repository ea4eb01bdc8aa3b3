"""The metrics of heads that predict one tag for each token."""

from typing import Dict, Optional

import torch
from allennlp.training.metrics import Metric
from overrides import overrides

from multitask_model.modules.label_vocabulary import LabelVocabulary
from multitask_model.training.metrics.running_mean import RunningMean
from multitask_model.training.metrics.span_f1 import SpanF1


class TagMetrics(Metric):
    """
    The accuracy of tags and, with a `label_encoding`, the scores of `SpanF1`.

    # Parameters

    labels : `LabelVocabulary`
        The tags.
    label_encoding : `str`, optional (default = `None`)
        `"BIO"` or its other name `"IOB2"`, `"IOB1"`, `"BIOUL"`, `"BIOES"` or `"BMES"`.

    # Raises

    `ConfigurationError`
        If the encoding is unknown, or a label is not a tag of it.

    # Examples

        >>> from allennlp.data import Vocabulary
        >>> vocab = Vocabulary(tokens_to_add={"labels": ["DET", "NOUN"]})
        >>> metrics = TagMetrics(LabelVocabulary(vocab, "labels"))
        >>> mask = torch.tensor([[True, True, False]])
        >>> metrics(torch.tensor([[0, 1, -1]]), torch.tensor([[0, 0, 0]]), mask)
        >>> metrics.get_metric()
        {'accuracy': 0.5}
    """

    supports_distributed = True
    summed_attributes = ("_accuracy", "_spans")

    def __init__(self, labels: LabelVocabulary, label_encoding: Optional[str] = None) -> None:
        self._accuracy = RunningMean()
        self._spans = None if label_encoding is None else SpanF1(labels, label_encoding)

    @overrides
    def __call__(
        self,
        predictions: torch.Tensor,
        gold_labels: torch.Tensor,
        mask: Optional[torch.Tensor] = None,
    ) -> None:
        """All arguments are of shape (B, T). `mask` is `True` for tokens; default: everywhere."""
        is_correct = predictions == gold_labels  # (B, T)
        self._accuracy(is_correct if mask is None else is_correct[mask])
        if self._spans is not None:
            self._spans(predictions, gold_labels, mask)

    @overrides
    def get_metric(self, reset: bool = False) -> Dict[str, float]:
        """`accuracy` and, with a `label_encoding`, the scores of `SpanF1`. Nothing without tags."""
        if self._accuracy.count == 0:
            return {}
        metrics = {"accuracy": self._accuracy.get_metric(reset)}
        if self._spans is not None:
            metrics.update(self._spans.get_metric(reset))
        return metrics

    @overrides
    def reset(self) -> None:
        self._accuracy.reset()
        if self._spans is not None:
            self._spans.reset()
