"""Heads for common tasks. All of them take the outputs of the `text` backbone."""

from multitask_model.heads.crf_tagger import CrfTaggerHead
from multitask_model.heads.dependency_parser import DependencyParserHead
from multitask_model.heads.masked_language_model import MaskedLanguageModelHead
from multitask_model.heads.multi_label_classifier import MultiLabelClassifierHead
from multitask_model.heads.regression import RegressionHead
from multitask_model.heads.tagger import TaggerHead

__all__ = [
    "CrfTaggerHead",
    "DependencyParserHead",
    "MaskedLanguageModelHead",
    "MultiLabelClassifierHead",
    "RegressionHead",
    "TaggerHead",
]
