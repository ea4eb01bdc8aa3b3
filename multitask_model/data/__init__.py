"""The data side: readers, collation, samplers, schedulers, and the loader that uses them."""

from multitask_model.data import samplers, schedulers
from multitask_model.data.collate import collate
from multitask_model.data.labelled_lines import LabelledLinesReader
from multitask_model.data.loader import MultiTaskDataLoader
from multitask_model.data.reader import MultiTaskDatasetReader

__all__ = [
    "LabelledLinesReader",
    "MultiTaskDataLoader",
    "MultiTaskDatasetReader",
    "collate",
    "samplers",
    "schedulers",
]
