"""The value of every registered loss weighting, and what holds for all of them."""

from typing import Any, Dict, List, NamedTuple

import pytest
import torch

from multitask_model.weighting import LossWeighting


class Case(NamedTuple):
    """The combined loss of a new weighting of these losses, and its gradients."""

    losses: Dict[str, float]
    expected: float
    gradients: Dict[str, float]
    options: Dict[str, Any] = {}


CASES = {
    # By definition: loss = Σ_h L_h.
    "sum": Case({"a": 2.0, "b": 3.0, "c": 0.5}, 5.5, {"a": 1.0, "b": 1.0, "c": 1.0}),
}


def registered() -> List[str]:
    """Returns the weightings of the package."""
    return [
        name
        for name in LossWeighting.list_available()
        if LossWeighting.by_name(name).__module__.startswith("multitask_model.")
    ]


def make(name: str) -> Any:
    weighting: Any = LossWeighting.by_name(name)(**CASES[name].options)
    weighting.set_heads(list(CASES[name].losses))
    return weighting


def tensors(name: str) -> Dict[str, torch.Tensor]:
    losses = CASES[name].losses
    return {head: torch.tensor(loss, requires_grad=True) for head, loss in losses.items()}


def test_every_registered_weighting_has_a_case() -> None:
    assert sorted(CASES) == sorted(registered())


@pytest.mark.parametrize("name", CASES)
def test_the_value_is_that_of_the_definition(name: str) -> None:
    loss = make(name)(tensors(name))
    assert loss.shape == ()
    assert loss.item() == pytest.approx(CASES[name].expected)


@pytest.mark.parametrize("name", CASES)
def test_the_gradients_are_those_of_the_definition(name: str) -> None:
    losses = tensors(name)
    make(name)(losses).backward()
    gradients = {head: loss.grad for head, loss in losses.items()}
    assert gradients == pytest.approx(CASES[name].gradients)


@pytest.mark.parametrize("name", CASES)
def test_some_heads_may_have_no_loss_in_a_batch(name: str) -> None:
    losses = tensors(name)
    head, loss = next(iter(losses.items()))
    assert torch.isfinite(make(name)({head: loss}))


@pytest.mark.parametrize("name", CASES)
def test_the_loss_is_finite_where_losses_are_zero(name: str) -> None:
    zeros = {head: torch.zeros((), requires_grad=True) for head in CASES[name].losses}
    loss = make(name)(zeros)
    loss.backward()
    assert torch.isfinite(loss)
    for zero in zeros.values():
        assert zero.grad is not None
        assert torch.isfinite(zero.grad)


@pytest.mark.parametrize("name", CASES)
def test_the_losses_are_not_changed(name: str) -> None:
    losses = tensors(name)
    make(name)(losses)
    assert {head: loss.item() for head, loss in losses.items()} == CASES[name].losses
