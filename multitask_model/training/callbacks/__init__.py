"""Trainer callbacks."""

from multitask_model.training.callbacks.multitask_data import MultiTaskDataCallback

__all__ = [
    "MultiTaskDataCallback",
]
