"""The value of every registered loss weighting, and what holds for all of them."""

import copy

import pytest
import torch

from multitask_model.weighting import LossWeighting
from tests.helpers.registry import our_types
from tests.helpers.weightings import CASES, make_losses, make_new, make_weighting, take_step


def test_every_registered_weighting_has_a_case() -> None:
    assert sorted(CASES) == our_types(LossWeighting)


@pytest.mark.parametrize("name", CASES)
def test_a_weighting_is_built_from_its_name_alone(name: str) -> None:
    weighting = LossWeighting.by_name(name)()
    weighting.set_heads(["a"])
    assert torch.isfinite(weighting({"a": torch.tensor(1.0)}))


@pytest.mark.parametrize("name", CASES)
def test_the_value_is_that_of_the_definition(name: str, device: torch.device) -> None:
    losses = {head: loss.to(device) for head, loss in make_losses(**CASES[name].losses).items()}
    loss = make_weighting(name, device=device)(losses)
    assert loss.shape == ()
    assert loss.item() == pytest.approx(CASES[name].expected)


@pytest.mark.parametrize("name", CASES)
def test_the_gradients_are_those_of_the_definition(name: str) -> None:
    losses = make_losses(**CASES[name].losses)
    make_weighting(name)(losses).backward()
    gradients = {head: loss.grad for head, loss in losses.items()}
    assert gradients == pytest.approx(CASES[name].gradients)


@pytest.mark.parametrize("name", sorted(set(CASES) - {"sum"}))
def test_the_weights_are_the_gradients(name: str) -> None:
    weighting = make_weighting(name)
    weighting.get_weights(reset=True)
    weighting(make_losses(**CASES[name].losses))
    assert weighting.get_weights(reset=True) == pytest.approx(CASES[name].gradients)
    assert weighting.get_weights() == {}


def test_sum_reports_no_weights() -> None:
    weighting = make_weighting("sum")
    weighting(make_losses(a=1.0))
    assert weighting.get_weights() == {}


@pytest.mark.parametrize("name", CASES)
def test_the_order_of_the_heads_does_not_matter(name: str) -> None:
    losses = CASES[name].losses
    backward = dict(reversed(list(losses.items())))
    reordered = make_weighting(name, *backward)(make_losses(**backward))
    assert reordered.item() == pytest.approx(CASES[name].expected)


@pytest.mark.parametrize("name", sorted(set(CASES) - {"famo"}))
def test_a_single_head_gives_its_own_loss(name: str) -> None:
    loss = make_new(name, "a")(make_losses(a=3.0))
    assert loss.item() == pytest.approx(CASES[name].one_head * 3.0)


@pytest.mark.parametrize("name", CASES)
def test_a_single_head_gives_its_own_gradient(name: str) -> None:
    losses = make_losses(a=3.0)
    make_new(name, "a")(losses).backward()
    assert losses["a"].grad is not None
    assert losses["a"].grad.item() == pytest.approx(CASES[name].one_head)


@pytest.mark.parametrize("name", CASES)
def test_the_loss_has_the_scale_of_the_losses_where_it_is_linear(name: str) -> None:
    losses = {head: 5.0 * loss for head, loss in CASES[name].losses.items()}
    loss = make_weighting(name)(make_losses(**losses)).item()
    is_linear = loss == pytest.approx(5.0 * CASES[name].expected)
    assert is_linear == CASES[name].is_linear


@pytest.mark.parametrize("name", CASES)
def test_the_loss_is_finite_where_losses_are_zero(name: str) -> None:
    zeros = make_losses(**dict.fromkeys(CASES[name].losses, 0.0))
    weighting = make_weighting(name)
    for _ in range(3):
        loss = weighting(zeros)
        loss.backward()
        weighting.finish_epoch()
        assert torch.isfinite(loss)
    for zero in zeros.values():
        assert zero.grad is not None
        assert torch.isfinite(zero.grad)


@pytest.mark.parametrize("name", CASES)
def test_the_losses_are_not_changed(name: str) -> None:
    losses = make_losses(**CASES[name].losses)
    make_weighting(name)(losses)
    assert {head: loss.item() for head, loss in losses.items()} == pytest.approx(CASES[name].losses)


@pytest.mark.parametrize("name", CASES)
def test_evaluation_changes_no_state(name: str) -> None:
    weighting = make_weighting(name).eval()
    before = copy.deepcopy(weighting.state_dict())
    weighting(make_losses(**dict.fromkeys(CASES[name].losses, 3.0)))
    assert weighting.state_dict() == before


@pytest.mark.parametrize("name", CASES)
def test_the_state_of_a_weighting_is_all_in_its_state_dict(name: str) -> None:
    # After other steps, a new weighting with its state continues as it does.
    losses = [
        dict(zip(CASES[name].losses, values)) for values in [(1.0, 2.0, 3.0), (4.0, 3.0, 2.0)]
    ]
    weighting = make_weighting(name)
    for of_batch in losses:
        weighting(make_losses(**of_batch)).backward()
        take_step(weighting)
    recovered = make_new(name, *CASES[name].losses)
    recovered.load_state_dict(weighting.state_dict())
    weighting.finish_epoch()
    recovered.finish_epoch()
    for of_batch in losses:
        expected = weighting(make_losses(**of_batch))
        assert recovered(make_losses(**of_batch)).item() == expected.item()
