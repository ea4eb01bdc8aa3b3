"""Outputs of the backbone as the tensors that losses are differentiated with respect to."""

import dataclasses
from typing import Any, NamedTuple

import pytest
import torch

from multitask_model.training.features import Features, replace_tensors
from tests.helpers.aggregation import tiny_model
from tests.helpers.messages import exactly


@dataclasses.dataclass(frozen=True)
class Encoded:
    states: torch.Tensor
    name: str


class Pair(NamedTuple):
    first: object
    second: object


def doubled(tensor: torch.Tensor) -> torch.Tensor:
    return 2 * tensor if tensor.is_floating_point() else tensor


ONE = torch.ones(())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (ONE, 2.0),
        ({"a": ONE, "b": 3}, {"a": 2.0, "b": 3}),
        ([ONE, (ONE, "x")], [2.0, (2.0, "x")]),
        (Pair(ONE, [ONE]), Pair(2.0, [2.0])),
        (Encoded(ONE, "x"), Encoded(2.0, "x")),  # type: ignore[arg-type]
    ],
)
def test_tensors_at_any_depth_are_replaced(value: object, expected: object) -> None:
    replaced = replace_tensors(value, doubled)
    assert type(replaced) is type(value)
    assert replaced == expected


@pytest.mark.parametrize("value", [torch.ones(2, dtype=torch.long), {"a": [1, "b"]}, [], None])
def test_what_has_no_tensor_that_changes_is_the_same_object(value: object) -> None:
    assert replace_tensors(value, doubled) is value


def test_the_values_in_the_arguments_are_not_changed() -> None:
    value = {"a": [ONE]}
    replace_tensors(value, doubled)
    assert value == {"a": [1.0]}


def test_a_feature_is_no_part_of_another_feature() -> None:
    features = Features()
    x = torch.tensor(3.0, requires_grad=True)
    first = x * 2
    outputs: Any = features.hook(torch.nn.Identity(), None, {"first": first, "last": first * 5})
    loss = outputs["first"] + outputs["last"]
    gradients = torch.autograd.grad(loss, features.take(), retain_graph=True)
    assert [gradient.item() for gradient in gradients] == [1.0, 1.0]
    loss.backward()
    assert x.grad is not None
    assert x.grad.item() == 2.0 + 2.0 * 5.0


def test_features_are_taken_once() -> None:
    features = Features()
    features.hook(torch.nn.Identity(), None, [torch.ones(1, requires_grad=True)])
    assert len(features.take()) == 1
    assert features.take() == []


def test_the_outputs_are_the_same_in_evaluation() -> None:
    outputs = {"x": torch.ones(1, requires_grad=True)}
    assert Features().hook(torch.nn.Identity().eval(), None, outputs) is outputs


def test_the_hook_can_be_removed() -> None:
    model, features = tiny_model("a"), Features()
    features.attach(model)
    features.detach()
    model.backbone(text={"tokens": {"tokens": torch.ones(1, 2, dtype=torch.long)}})
    assert features.take() == []


def test_a_head_that_uses_a_parameter_of_the_backbone_is_an_error() -> None:
    model, features = tiny_model("ab"), Features()
    feature = torch.ones(2, requires_grad=True).exp()
    losses = {"a": feature.sum(), "b": feature.sum() + model.backbone.linear.bias.sum()}
    message = (
        "With features, heads must use the parameters of the backbone by way of its outputs only, "
        "but got ['linear.bias'] in the loss of 'b'. Set features of the callback "
        "'gradient_aggregation' to false."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        features.check(model, losses, [feature])
