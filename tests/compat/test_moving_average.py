"""Moving averages of a training that is recovered."""

import copy
from typing import Dict, List, Tuple

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.training.moving_average import ExponentialMovingAverage

import multitask_model  # noqa: F401  (applies the patch)
from tests.helpers.messages import exactly


def make(value: float) -> Tuple[torch.nn.Parameter, ExponentialMovingAverage]:
    parameter = torch.nn.Parameter(torch.tensor([value]))
    return parameter, ExponentialMovingAverage([("weight", parameter)], decay=0.5)


def test_a_recovered_average_goes_on_and_is_that_of_the_model() -> None:
    parameter, average = make(0.0)
    parameter.data.fill_(4.0)
    average.apply()  # 2.0
    saved = copy.deepcopy(average.state_dict())

    parameter, recovered = make(4.0)
    recovered.load_state_dict(saved)
    parameter.data.fill_(6.0)
    recovered.apply()  # (2.0 + 6.0) / 2
    recovered.assign_average_value()
    assert parameter.item() == 4.0
    recovered.restore()
    assert parameter.item() == 6.0


def test_the_names_of_a_wrapper_are_accepted() -> None:
    _, average = make(5.0)
    saved = {"module.weight": torch.tensor([1.0])}
    average.load_state_dict({"parameters": [], "shadows": saved, "backups": saved})
    assert average.state_dict()["shadows"]["weight"].item() == 1.0


def test_the_same_names_of_a_wrapper_are_kept() -> None:
    # As in distributed training of other models.
    parameter = torch.nn.Parameter(torch.zeros(1))
    average = ExponentialMovingAverage([("module.weight", parameter)])
    saved = {"module.weight": torch.tensor([1.0])}
    average.load_state_dict({"parameters": [], "shadows": saved, "backups": saved})
    assert average.state_dict()["shadows"]["module.weight"].item() == 1.0


@pytest.mark.parametrize(
    ("saved", "names"),
    [
        ({"other": torch.zeros(1)}, ["other", "weight"]),
        ({"weight": torch.zeros(3)}, ["weight"]),
    ],
)
def test_other_parameters_are_an_error(saved: Dict[str, torch.Tensor], names: List[str]) -> None:
    parameter, average = make(5.0)
    message = (
        "A moving_average that is recovered must be that of the same parameters, but "
        f"{names} differ from those of the checkpoint. Train the same parameters as before, or "
        "begin a new training."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        average.load_state_dict({"parameters": [], "shadows": saved, "backups": saved})
    average.assign_average_value()
    assert parameter.item() == 5.0
