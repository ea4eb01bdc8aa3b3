"""The `multitask` data loader and its parts."""

from multitask_model.data.data_loaders.multitask_data_loader import MultiTaskDataLoader

__all__ = [
    "MultiTaskDataLoader",
]
