"""Metrics that heads and the model count with."""

from multitask_model.training.metrics.attachment_scores import AttachmentScores
from multitask_model.training.metrics.mean_losses import MeanLosses
from multitask_model.training.metrics.span_f1 import SpanF1

__all__ = [
    "AttachmentScores",
    "MeanLosses",
    "SpanF1",
]
