"""Trainers and heads whose gradients cannot be aggregated."""

from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from multitask_model.training import aggregation_checks
from multitask_model.training.aggregation_checks import check_names_of_conflicts, check_trainer
from tests.helpers.aggregation import make_trainer, tiny_model
from tests.helpers.messages import exactly


def test_two_pairs_with_one_name_are_an_error() -> None:
    message = (
        "With log_conflicts, every pair of heads must have a metric name of its own, but got "
        "'conflict_x_y_z' for two pairs. Rename a head."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        check_names_of_conflicts(["x", "x_y", "z", "y_z"])


def test_other_pairs_are_accepted() -> None:
    check_names_of_conflicts(["x", "x_y", "z"])


def test_features_in_distributed_training_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aggregation_checks, "is_distributed", lambda: True)
    message = (
        "The trainer callback 'gradient_aggregation' requires features=False in distributed "
        "training, but got True. Each process has features of its own, whose gradients cannot be "
        "averaged. Remove the option."
    )
    check_trainer(make_trainer(tiny_model()), features=False)
    with pytest.raises(ConfigurationError, match=exactly(message)):
        check_trainer(make_trainer(tiny_model()), features=True)


def test_a_gradient_scaler_is_an_error() -> None:
    trainer: Any = make_trainer(tiny_model())
    trainer._scaler = torch.cuda.amp.GradScaler(enabled=False)
    message = (
        "The trainer callback 'gradient_aggregation' requires gradients that are not scaled, but "
        "got use_amp with grad_scaling. Set grad_scaling of the trainer to false, or remove the "
        "callback."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        check_trainer(trainer, features=False)


def test_another_model_is_an_error() -> None:
    trainer: Any = make_trainer(tiny_model())
    trainer.model = trainer.model.head("a")
    message = (
        "The trainer callback 'gradient_aggregation' requires the model 'multitask' of "
        "multitask_model, but got TinyHead. Change the model, or remove the callback."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        check_trainer(trainer, features=False)
