"""Trainer callbacks."""

from multitask_model.training.callbacks.gradient_aggregation import GradientAggregationCallback
from multitask_model.training.callbacks.multitask_data import MultiTaskDataCallback

__all__ = [
    "GradientAggregationCallback",
    "MultiTaskDataCallback",
]
