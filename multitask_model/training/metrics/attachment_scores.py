"""Attachment scores that several processes can put together."""

from typing import Any

import torch
from allennlp.nn.util import dist_reduce_sum
from allennlp.training.metrics import AttachmentScores as AllenNLPAttachmentScores
from overrides import overrides


class AttachmentScores(AllenNLPAttachmentScores):
    """
    AllenNLP's `AttachmentScores`, which in distributed training would add tensors of the shapes of
    the batches, and fail if the processes have texts of unlike lengths. This adds their sums. Only
    the scores of words are right, `UAS` and `LAS`; it does not count whole sentences.
    """

    @overrides
    def __call__(  # type: ignore[override]
        self,
        predicted_indices: torch.Tensor,
        predicted_labels: torch.Tensor,
        gold_indices: torch.Tensor,
        gold_labels: torch.Tensor,
        mask: Any = None,
    ) -> None:
        for label in self._ignore_classes:
            mask = mask & (gold_labels != label)
        unlabeled = (predicted_indices == gold_indices) & mask
        labeled = unlabeled & (predicted_labels == gold_labels)
        sums = torch.stack([unlabeled.sum(), labeled.sum(), mask.sum()])
        sums = dist_reduce_sum(sums)
        self._unlabeled_correct += sums[0].item()
        self._labeled_correct += sums[1].item()
        self._total_words += sums[2].item()
