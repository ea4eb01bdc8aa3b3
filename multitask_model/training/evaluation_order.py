"""
Buckets in evaluations whose results do not depend on the order of the instances. The evaluator and
the trainer have no hook that is called without a change of the config, so methods are patched.
"""

import contextlib
from os import PathLike
from typing import Callable, ContextManager, Dict, Optional, Union

from allennlp.data import DataLoader
from allennlp.evaluation import SimpleEvaluator
from allennlp.models import Model

from multitask_model.compat.patching import patch
from multitask_model.data.data_loaders.multitask_data_loader import MultiTaskDataLoader

File = Union[str, "PathLike[str]", None]


def any_order(loader: Optional[DataLoader]) -> ContextManager[None]:
    """Lets a `MultiTaskDataLoader` bucket evaluations. Does nothing for any other loader."""
    if isinstance(loader, MultiTaskDataLoader):
        return loader.any_order()
    return contextlib.nullcontext()


def bucket_evaluations() -> None:
    """Lets AllenNLP's evaluator use buckets, unless it writes predictions to a file."""

    @patch(SimpleEvaluator, "__call__")
    def _(
        original: Callable[..., Dict[str, object]],
        evaluator: SimpleEvaluator,
        model: Model,
        data_loader: DataLoader,
        batch_weight_key: Optional[str] = None,
        metrics_output_file: File = None,
        predictions_output_file: File = None,
    ) -> Dict[str, object]:
        files = (metrics_output_file, predictions_output_file)
        with any_order(data_loader if predictions_output_file is None else None):
            return original(evaluator, model, data_loader, batch_weight_key, *files)
