"""Trainer callbacks."""

from multitask_model.training.callbacks.gradient_aggregation import GradientAggregationCallback
from multitask_model.training.callbacks.multitask_data import MultiTaskDataCallback
from multitask_model.training.callbacks.task_report import TaskReportCallback

__all__ = [
    "GradientAggregationCallback",
    "MultiTaskDataCallback",
    "TaskReportCallback",
]
