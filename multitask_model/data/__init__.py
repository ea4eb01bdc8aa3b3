"""The data side: readers, collation, and the loader that uses it."""

from multitask_model.data.collate import collate
from multitask_model.data.labelled_lines import LabelledLinesReader
from multitask_model.data.loader import MultiTaskDataLoader

__all__ = ["LabelledLinesReader", "MultiTaskDataLoader", "collate"]
