"""
Checks that `GradientDescentTrainer` makes for a `MultiTaskModel`. The trainer has no hook that is
called without a change of the config, so its methods are patched.
"""

from typing import Callable, Dict, Mapping, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import DataLoader
from allennlp.data.fields import MetadataField
from allennlp.models.model import Model
from allennlp.training import GradientDescentTrainer

from multitask_model.compat.allennlp_internals import tracked_metrics, validation_loader
from multitask_model.compat.patching import patch
from multitask_model.data.data_loaders.multitask_data_loader import MultiTaskDataLoader
from multitask_model.model import MultiTaskModel
from multitask_model.routing.output_names import LOSS
from multitask_model.training.evaluation_order import any_order
from multitask_model.training.label_checks import check_labels
from multitask_model.training.shared_namespaces import warn_of_shared_namespaces
from multitask_model.training.validation_metrics import check_validation_metric
from multitask_model.training.weighting_checks import check_loss_weighting

Outputs = Dict[str, torch.Tensor]
TrainingMetrics = Dict[str, object]


def check_multitask_training() -> None:
    """Adds the checks to the trainer. Training of other models is unaffected."""

    @patch(GradientDescentTrainer, "batch_outputs")
    def _(
        original: Callable[..., Outputs],
        trainer: GradientDescentTrainer,
        batch: Mapping[str, object],
        for_training: bool,
    ) -> Outputs:
        try:
            return original(trainer, batch, for_training)
        except RuntimeError as error:
            message = _missing_loss(trainer.model, batch) if _is_missing_loss(error) else None
            if message is None:
                raise
            raise RuntimeError(message) from error

    @patch(GradientDescentTrainer, "train")
    def _(
        original: Callable[..., TrainingMetrics], trainer: GradientDescentTrainer
    ) -> TrainingMetrics:
        if isinstance(trainer.model, MultiTaskModel):
            _check_tasks(trainer.model, trainer.data_loader, validation_loader(trainer))
            check_labels(trainer.model, trainer.data_loader)
            warn_of_shared_namespaces(trainer.model, trainer.data_loader)
            check_loss_weighting(trainer.model, trainer.data_loader)
            loader = validation_loader(trainer)
            if loader is not None:
                check_validation_metric(tracked_metrics(trainer), trainer.model, loader)
        with any_order(validation_loader(trainer)):
            return original(trainer)


def _check_tasks(model: MultiTaskModel, *loaders: Optional[DataLoader]) -> None:
    """Checks that the tasks of the data have heads, before the first epoch."""
    for loader in loaders:
        datasets = loader.datasets if isinstance(loader, MultiTaskDataLoader) else {}
        for dataset in datasets.values():
            field = None if dataset.first is None else dataset.first.fields.get("task")
            task = field.metadata if isinstance(field, MetadataField) else None
            if isinstance(task, str) and task not in model.tasks.names:
                raise ConfigurationError(model.tasks.unknown_task(task))


def _is_missing_loss(error: RuntimeError) -> bool:
    return f"does not contain a '{LOSS}' key" in str(error)


def _missing_loss(model: Model, batch: Mapping[str, object]) -> Optional[str]:
    return model.explain_missing_loss(batch) if isinstance(model, MultiTaskModel) else None
