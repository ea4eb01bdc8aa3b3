"""Trainer callbacks."""

from multitask_model.training.multitask_data import MultiTaskDataCallback

__all__ = ["MultiTaskDataCallback"]
