"""Checks of what gradients are aggregated with, at the start of training."""

import itertools
from typing import Sequence

from allennlp.common.checks import ConfigurationError
from allennlp.common.util import is_distributed
from allennlp.training import GradientDescentTrainer

from multitask_model.compat.allennlp_internals import scales_gradients
from multitask_model.model import MultiTaskModel

GRADIENT_NORM = "gradient_norm"


def conflict_name(first: str, second: str) -> str:
    """Returns the name of the metric of the conflict of two heads."""
    return f"conflict_{first}_{second}"


def norm_name(head: str) -> str:
    """Returns the name of the metric of the norm of a head's gradient."""
    return f"{head}_{GRADIENT_NORM}"


def check_names_of_conflicts(heads: Sequence[str]) -> None:
    """
    # Raises

    `ConfigurationError`
        If two pairs of heads have the same name.
    """
    names = [conflict_name(*pair) for pair in itertools.combinations(heads, 2)]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(
                "With log_conflicts, every pair of heads must have a metric name of its own, but "
                f"got {name!r} for two pairs. Rename a head."
            )


def check_trainer(trainer: GradientDescentTrainer, features: bool) -> None:
    """
    Checks the trainer of a callback with `features` or without.

    # Raises

    `ConfigurationError`
        If the callback cannot be used with this trainer.
    """
    requirement = "The trainer callback 'gradient_aggregation' requires"
    if not isinstance(trainer.model, MultiTaskModel):
        raise ConfigurationError(
            f"{requirement} the model 'multitask' of multitask_model, but got "
            f"{type(trainer.model).__name__}. Change the model, or remove the callback."
        )
    if features and is_distributed():
        raise ConfigurationError(
            f"{requirement} features=False in distributed training, but got True. Each process has "
            "features of its own, whose gradients cannot be averaged. Remove the option."
        )
    if scales_gradients(trainer):
        raise ConfigurationError(
            f"{requirement} gradients that are not scaled, but got use_amp with grad_scaling. Set "
            "grad_scaling of the trainer to false, or remove the callback."
        )
