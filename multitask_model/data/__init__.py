"""The data side: readers, collation, samplers, schedulers, and the loader that uses them."""

from multitask_model.data import samplers, schedulers
from multitask_model.data.collate import collate
from multitask_model.data.conllu import ConlluReader
from multitask_model.data.edit_scripts import apply_edit_script, edit_script
from multitask_model.data.labelled_lines import LabelledLinesReader
from multitask_model.data.loader import MultiTaskDataLoader
from multitask_model.data.masked import MaskedReader
from multitask_model.data.reader import MultiTaskDatasetReader

__all__ = [
    "ConlluReader",
    "LabelledLinesReader",
    "MaskedReader",
    "MultiTaskDataLoader",
    "MultiTaskDatasetReader",
    "apply_edit_script",
    "collate",
    "edit_script",
    "samplers",
    "schedulers",
]
