"""Moving averages of a training that is recovered."""

import copy
from typing import Tuple

import torch
from allennlp.training.moving_average import ExponentialMovingAverage

import multitask_model  # noqa: F401  (applies the patch)


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


def test_a_recovered_average_does_not_change_the_checkpoint() -> None:
    parameter, average = make(1.0)
    saved = copy.deepcopy(average.state_dict())
    parameter, recovered = make(5.0)
    recovered.load_state_dict(saved)
    recovered.apply()
    assert saved["shadows"]["weight"].item() == 1.0
