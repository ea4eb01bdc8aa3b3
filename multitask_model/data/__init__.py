"""The data side: readers, collation, and the loader that uses it."""

from multitask_model.data.collate import collate
from multitask_model.data.conllu import ConlluReader
from multitask_model.data.edit_scripts import apply_edit_script, edit_script
from multitask_model.data.labelled_lines import LabelledLinesReader
from multitask_model.data.loader import MultiTaskDataLoader
from multitask_model.data.masked import MaskedReader

__all__ = [
    "ConlluReader",
    "LabelledLinesReader",
    "MaskedReader",
    "MultiTaskDataLoader",
    "apply_edit_script",
    "collate",
    "edit_script",
]
