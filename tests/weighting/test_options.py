"""The options of the weightings, and what they refuse."""

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from multitask_model.weighting import (
    DynamicAverageWeighting,
    LossWeighting,
    RandomWeighting,
    SmoothTchebycheffWeighting,
)
from tests.helpers.messages import exactly
from tests.helpers.weightings import make_losses


def test_the_random_weights_are_a_softmax_of_normal_numbers() -> None:
    weighting = RandomWeighting()
    torch.manual_seed(3)
    weighting(make_losses(a=1.0, b=1.0))
    torch.manual_seed(3)
    expected = torch.softmax(torch.randn(2), dim=0).tolist()
    assert list(weighting.get_weights().values()) == pytest.approx(expected)


def test_a_small_mu_gives_the_maximum() -> None:
    loss = SmoothTchebycheffWeighting(mu=1e-4)(make_losses(a=1.0, b=3.0))
    assert loss.item() == pytest.approx(1.5)


def test_the_reference_is_subtracted() -> None:
    weighting = SmoothTchebycheffWeighting(mu=1e-4, reference={"b": 2.5})
    assert weighting(make_losses(a=1.0, b=3.0)).item() == pytest.approx(0.5)


def test_a_high_temperature_gives_equal_weights() -> None:
    weighting = DynamicAverageWeighting(temperature=1e6)
    weighting.set_heads(["a", "b"])
    for b in (4.0, 1.0):
        weighting(make_losses(a=1.0, b=b))
        weighting.finish_epoch()
    weighting.get_weights(reset=True)
    weighting(make_losses(a=1.0, b=1.0))
    assert weighting.get_weights() == pytest.approx({"a": 1.0, "b": 1.0}, abs=1e-5)


def test_mu_must_be_positive() -> None:
    message = (
        "mu of the loss weighting 'smooth_tchebycheff' must be positive, but got 0. The paper uses "
        "values from 0.01 to 1."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        SmoothTchebycheffWeighting(mu=0)


def test_the_temperature_must_be_positive() -> None:
    message = (
        "temperature of the loss weighting 'dynamic_average' must be positive, but got -1.0. The "
        "paper uses 2.0."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        DynamicAverageWeighting(temperature=-1.0)


def test_the_reference_must_name_heads() -> None:
    weighting = SmoothTchebycheffWeighting(reference={"per": 1.0})
    message = (
        "reference of the loss weighting must name a head, but got 'per'. Did you mean 'ner'? "
        "Known names: ['ner', 'pos']."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        weighting.set_heads(["ner", "pos"])


@pytest.mark.parametrize("name", ["geometric", "famo"])
def test_a_negative_loss_is_an_error(name: str) -> None:
    weighting = LossWeighting.by_name(name)()
    weighting.set_heads(["a", "b"])
    message = (
        f"The loss weighting {name!r} requires losses of at least 0, but got -0.5 for the head "
        "'b'. Use another loss weighting, or a loss that cannot be negative."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        weighting(make_losses(a=1.0, b=-0.5))
