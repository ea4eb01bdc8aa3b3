"""Trainer callbacks. Importing this package registers each of them."""

from multitask_model.training.callbacks.multitask_data import MultiTaskDataCallback

__all__ = [
    "MultiTaskDataCallback",
]
