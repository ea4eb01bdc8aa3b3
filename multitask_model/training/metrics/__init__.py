"""Metrics of heads and of the model."""

from multitask_model.training.metrics.attachment_scores import AttachmentScores
from multitask_model.training.metrics.mean_losses import MeanLosses
from multitask_model.training.metrics.pearson_correlation import PearsonCorrelation
from multitask_model.training.metrics.running_mean import RunningMean
from multitask_model.training.metrics.span_f1 import SpanF1
from multitask_model.training.metrics.spearman_correlation import SpearmanCorrelation
from multitask_model.training.metrics.tag_metrics import TagMetrics

__all__ = [
    "AttachmentScores",
    "MeanLosses",
    "PearsonCorrelation",
    "RunningMean",
    "SpanF1",
    "SpearmanCorrelation",
    "TagMetrics",
]
