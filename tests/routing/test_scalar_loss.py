"""The loss among the outputs of a component."""

from typing import Any

import pytest
import torch

from multitask_model.routing.calls import scalar_loss
from tests.helpers.messages import exactly


@pytest.mark.parametrize("loss", [4, 4.0, torch.tensor([4.0]), torch.tensor(4.0)])
def test_a_loss_becomes_a_tensor_without_dimensions(loss: Any) -> None:
    scalar = scalar_loss("a", {"loss": loss})
    assert scalar is not None
    assert (scalar.shape, scalar.item()) == ((), 4.0)


def test_a_loss_that_is_a_number_gets_the_device_of_the_other_outputs() -> None:
    scalar = scalar_loss("a", {"loss": 4.0, "logits": torch.zeros(2, device="meta")})
    assert scalar is not None
    assert scalar.device.type == "meta"


def test_without_a_loss_there_is_none() -> None:
    assert scalar_loss("a", {"logits": 1}) is None
    assert scalar_loss("a", {"loss": None}) is None


@pytest.mark.parametrize(
    ("loss", "found"),
    [(torch.zeros(2, 3), "a tensor of shape [2, 3]"), ("high", "'high'")],
    ids=["tensor", "string"],
)
def test_a_loss_that_is_not_a_single_number_is_an_error(loss: Any, found: str) -> None:
    message = (
        f"The loss of 'a' must be a single number, but got {found}. Reduce it in the forward() of "
        "that component, for example with .mean()."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        scalar_loss("a", {"loss": loss})
