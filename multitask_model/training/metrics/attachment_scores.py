"""Attachment scores of dependency trees."""

from typing import Dict, Optional, Sequence

import torch
from allennlp.nn.util import dist_reduce_sum
from allennlp.training.metrics import Metric
from overrides import overrides


class AttachmentScores(Metric):
    """
    Unlabeled and labeled attachment scores: the proportions of words with the correct head (`UAS`),
    and with the correct head and label (`LAS`).

    In distributed training the counts of all processes are summed. (AllenNLP's `AttachmentScores`
    sums tensors of the size of the batch, which fails if the processes have sentences of different
    lengths.)

    # Parameters

    ignore_classes : `Sequence[int]`, optional (default = `()`)
        Words with one of these gold labels are excluded.

    # Examples

        >>> scores = AttachmentScores()
        >>> heads, labels = torch.tensor([[2, 0]]), torch.tensor([[1, 0]])
        >>> mask = torch.tensor([[True, True]])
        >>> scores(heads, labels, heads, torch.tensor([[1, 1]]), mask)
        >>> scores.get_metric()
        {'UAS': 1.0, 'LAS': 0.5}
    """

    supports_distributed = True
    summed_attributes = ("unlabeled_correct", "labeled_correct", "total_words")

    def __init__(self, ignore_classes: Sequence[int] = ()) -> None:
        self._ignore_classes = tuple(ignore_classes)
        self.unlabeled_correct = 0
        """The number of words with the correct head."""
        self.labeled_correct = 0
        """The number of words with the correct head and label."""
        self.total_words = 0

    @overrides
    def __call__(  # type: ignore[override]
        self,
        predicted_indices: torch.Tensor,
        predicted_labels: torch.Tensor,
        gold_indices: torch.Tensor,
        gold_labels: torch.Tensor,
        mask: Optional[torch.Tensor] = None,
    ) -> None:
        """All arguments are of shape (B, T). `mask` is `True` for words; default: everywhere."""
        included = torch.ones_like(gold_labels, dtype=torch.bool) if mask is None else mask
        for label in self._ignore_classes:
            included = included & (gold_labels != label)
        unlabeled = (predicted_indices == gold_indices) & included
        labeled = unlabeled & (predicted_labels == gold_labels)
        counts = torch.stack([unlabeled.sum(), labeled.sum(), included.sum()])
        unlabeled_correct, labeled_correct, words = dist_reduce_sum(counts).tolist()
        self.unlabeled_correct += unlabeled_correct
        self.labeled_correct += labeled_correct
        self.total_words += words

    @overrides
    def get_metric(self, reset: bool = False) -> Dict[str, float]:
        """`UAS` and `LAS`. Nothing if there were no words."""
        if self.total_words == 0:
            return {}
        metrics = {
            "UAS": self.unlabeled_correct / self.total_words,
            "LAS": self.labeled_correct / self.total_words,
        }
        if reset:
            self.reset()
        return metrics

    @overrides
    def reset(self) -> None:
        self.unlabeled_correct = 0
        self.labeled_correct = 0
        self.total_words = 0
