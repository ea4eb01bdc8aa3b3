"""The joint loss of a batch, by value."""

from typing import Dict, Tuple

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from multitask_model.weighting import JointLoss, LossWeighting, SumWeighting
from tests.helpers.messages import exactly

WEIGHTS = {"a": 0.5, "c": 10.0, "backbone": 3.0}
SIZE = 8


def compute(joint: JointLoss, **losses: Tuple[torch.Tensor, int]) -> torch.Tensor:
    """Computes the joint loss of losses and the numbers of rows that they are the means of."""
    rows = {name: count for name, (_, count) in losses.items()}
    return joint({name: loss for name, (loss, _) in losses.items()}, rows, SIZE)


def joint_loss(reduction: str, **losses: Tuple[torch.Tensor, int]) -> torch.Tensor:
    return compute(JointLoss(WEIGHTS, reduction, SumWeighting()), **losses)


@pytest.mark.parametrize(
    ("reduction", "expected"),
    [
        ("heads", 0.5 * 2.0 + 1.0 * 3.0 + 10.0 * 5.0),
        # With the proportions of the rows of a, b and c.
        ("instances", 0.25 * 0.5 * 2.0 + 0.5 * 1.0 * 3.0 + 0.125 * 10.0 * 5.0),
    ],
)
def test_losses_are_scaled_and_added(reduction: str, expected: float) -> None:
    loss = joint_loss(
        reduction, a=(torch.tensor(2.0), 2), b=(torch.tensor(3.0), 4), c=(torch.tensor(5.0), 1)
    )
    assert loss.shape == ()
    assert loss.item() == expected


@pytest.mark.parametrize("reduction", ["heads", "instances"])
def test_the_loss_of_the_backbone_is_added_with_its_weight(reduction: str) -> None:
    loss = joint_loss(reduction, backbone=(torch.tensor(2.0), SIZE), b=(torch.tensor(4.0), SIZE))
    assert loss.item() == 3.0 * 2.0 + 4.0


def test_the_loss_of_the_backbone_may_be_the_only_one() -> None:
    assert joint_loss("heads", backbone=(torch.tensor(2.0), SIZE)).item() == 6.0


class Largest(LossWeighting):
    def forward(self, losses: Dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.stack(list(losses.values())).max()


def test_the_weighting_gets_the_scaled_losses_of_the_heads() -> None:
    joint = JointLoss({"a": 2.0, "backbone": 10.0}, "instances", Largest())
    one, eight, nine = torch.tensor(1.0), torch.tensor(8.0), torch.tensor(9.0)
    loss = compute(joint, backbone=(one, SIZE), a=(eight, 4), b=(nine, 4))
    assert loss.item() == 10.0 * 1.0 + max(0.5 * 2.0 * 8.0, 0.5 * 9.0)


@pytest.mark.parametrize(("reduction", "rows"), [("heads", 3), ("instances", SIZE)])
def test_a_single_loss_that_is_not_scaled_is_the_same_tensor(reduction: str, rows: int) -> None:
    loss = torch.tensor(3.0)
    assert joint_loss(reduction, b=(loss, rows)) is loss


def test_the_weight_of_a_component_can_be_set() -> None:
    joint = JointLoss({}, "heads", SumWeighting())
    joint.set_weight("a", 7.0)
    assert compute(joint, a=(torch.tensor(2.0), SIZE)).item() == 14.0


def test_gradients_have_the_scale_of_their_loss() -> None:
    a, b = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
    joint_loss("instances", a=(a, 4), b=(b, 2)).backward()
    assert a.grad is not None
    assert b.grad is not None
    assert (a.grad.item(), b.grad.item()) == (0.5 * 0.5, 0.25)


def test_an_unknown_reduction_is_an_error() -> None:
    message = "loss_reduction must be 'heads' or 'instances', but got 'mean'."
    with pytest.raises(ConfigurationError, match=exactly(message)):
        JointLoss({}, "mean", SumWeighting())
