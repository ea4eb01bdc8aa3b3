"""Dataset readers. Importing this package registers them with AllenNLP."""

from multitask_model.data.dataset_readers.columns import ColumnsReader
from multitask_model.data.dataset_readers.conllu import ConlluReader
from multitask_model.data.dataset_readers.edit_scripts import apply_edit_script, edit_script
from multitask_model.data.dataset_readers.hf_dataset import HfDatasetReader
from multitask_model.data.dataset_readers.labeled_jsonl import LabeledJsonlReader
from multitask_model.data.dataset_readers.masked_tokens import MaskedTokensReader
from multitask_model.data.dataset_readers.multitask import MultiTaskDatasetReader

__all__ = [
    "ColumnsReader",
    "ConlluReader",
    "HfDatasetReader",
    "LabeledJsonlReader",
    "MaskedTokensReader",
    "MultiTaskDatasetReader",
    "apply_edit_script",
    "edit_script",
]
