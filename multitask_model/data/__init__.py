"""Dataset readers, the collate function, samplers, schedulers and the data loader."""

from multitask_model.data import samplers, schedulers
from multitask_model.data.collate import collate
from multitask_model.data.data_loaders import MultiTaskDataLoader
from multitask_model.data.dataset_readers import (
    ColumnsReader,
    ConlluReader,
    HfDatasetReader,
    LabeledJsonlReader,
    MaskedTokensReader,
    MultiTaskDatasetReader,
    apply_edit_script,
    edit_script,
)
from multitask_model.data.punctuation_tokenizer import PunctuationTokenizer

__all__ = [
    "ColumnsReader",
    "ConlluReader",
    "HfDatasetReader",
    "LabeledJsonlReader",
    "MaskedTokensReader",
    "MultiTaskDataLoader",
    "MultiTaskDatasetReader",
    "PunctuationTokenizer",
    "apply_edit_script",
    "collate",
    "edit_script",
    "samplers",
    "schedulers",
]
