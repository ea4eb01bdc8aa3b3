"""Evaluating a model from a script."""

import contextlib
from typing import Dict, Iterator, List

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import DataLoader
from allennlp.models import Model
from allennlp.nn import util as nn_util

from multitask_model.routing.output_names import LOSS


def evaluate(model: Model, loader: DataLoader) -> Dict[str, float]:
    """
    Computes the metrics of a model on the instances of a data loader, as `allennlp evaluate` does.

    # Parameters

    model : `Model`
        It is evaluated on its device, in evaluation mode, and set back to its mode, each module to
        its own. Metrics that it counted before are discarded: read them first.
    loader : `DataLoader`
        It is indexed with the vocabulary of the model.

    # Returns

    `Dict[str, float]`
        The metrics of the model and, if batches have a joint loss, its mean over batches as `loss`.

    # Raises

    `ConfigurationError`
        If `loader` is not a data loader.
    `ValueError`
        If the loader has no batches.

    # Examples

        >>> from allennlp.data import Vocabulary
        >>> from allennlp.models.heads import Head
        >>> from allennlp.modules import Backbone
        >>> from multitask_model import LabeledJsonlReader, MultiTaskDataLoader
        >>> from multitask_model import MultiTaskDatasetReader, MultiTaskModel
        >>> class Encoder(Backbone):
        ...     def forward(self, text): return {"lengths": text["tokens"]["tokens"].ne(0).sum(1)}
        >>> class Length(Head):
        ...     def forward(self, lengths, stars): return {"loss": (lengths - stars).abs().mean()}
        ...     def get_metrics(self, reset): return {}
        >>> from tempfile import NamedTemporaryFile
        >>> model = MultiTaskModel(Vocabulary(), Encoder(), {"reviews": Length(Vocabulary())})
        >>> reader = MultiTaskDatasetReader({"reviews": LabeledJsonlReader({"stars": "number"})})
        >>> with NamedTemporaryFile("w") as file:
        ...     print('{"text": "so very good", "stars": 5}', file=file, flush=True)
        ...     loader = MultiTaskDataLoader(reader, {"reviews": file.name}, batch_size=2)
        ...     evaluate(model, loader)
        {'reviews_loss': 2.0, 'loss': 2.0}
    """
    if not isinstance(loader, DataLoader):
        raise ConfigurationError(
            f"evaluate requires a data loader, but got a {type(loader).__name__}. Make one of the "
            "reader and the files, such as MultiTaskDataLoader(reader, files, batch_size=32)."
        )
    loader.index_with(model.vocab)
    with _evaluation_mode(model):
        model.get_metrics(reset=True)
        losses = _losses(model, loader)
        metrics = model.get_metrics(reset=True)
    if losses:
        metrics[LOSS] = sum(losses) / len(losses)
    return metrics


@contextlib.contextmanager
def _evaluation_mode(model: Model) -> Iterator[None]:
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        model.train(modes[model])
        # A frozen part may be in evaluation mode while the others are trained.
        for module, mode in modes.items():
            module.training = mode


def _losses(model: Model, loader: DataLoader) -> List[float]:
    """Runs the model on all batches and returns their joint losses."""
    parameter = next(model.parameters(), torch.empty(0))
    losses, is_empty = [], True
    with torch.no_grad():
        for batch in loader:
            is_empty = False
            outputs = model(**nn_util.move_to_device(batch, parameter.device))
            losses += [outputs[LOSS].item()] if LOSS in outputs else []
    if is_empty:
        raise ValueError(
            "evaluate requires a data loader with at least one batch, but got one without any. "
            "Check its files."
        )
    return losses
