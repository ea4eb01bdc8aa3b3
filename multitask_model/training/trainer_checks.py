"""
Checks that `GradientDescentTrainer` makes for a `MultiTaskModel`. The trainer has no hook that is
called without a change of the config, so its methods are patched.
"""

from typing import Callable, Dict, Mapping, Optional

import torch
from allennlp.models.model import Model
from allennlp.training import GradientDescentTrainer

from multitask_model.compat.allennlp_internals import tracked_metrics, validation_loader
from multitask_model.compat.patching import patch
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
            check_labels(trainer.model, trainer.data_loader)
            warn_of_shared_namespaces(trainer.model, trainer.data_loader)
            check_loss_weighting(trainer.model, trainer.data_loader)
            loader = validation_loader(trainer)
            if loader is not None:
                check_validation_metric(tracked_metrics(trainer), trainer.model, loader)
        with any_order(validation_loader(trainer)):
            return original(trainer)


def _is_missing_loss(error: RuntimeError) -> bool:
    return f"does not contain a '{LOSS}' key" in str(error)


def _missing_loss(model: Model, batch: Mapping[str, object]) -> Optional[str]:
    return model.explain_missing_loss(batch) if isinstance(model, MultiTaskModel) else None
