"""Batches on which only some of the heads ran."""

import logging
from typing import Dict, List

import pytest
import torch

from multitask_model.weighting import LossWeighting
from tests.helpers.weightings import CASES, make_losses, make_new, make_weighting


def make(name: str) -> LossWeighting:
    """Returns a new weighting of three heads."""
    return make_new(name, "a", "b", "c")


@pytest.mark.parametrize("name", CASES)
def test_a_new_weighting_ignores_heads_that_did_not_run(name: str) -> None:
    expected = make_new(name, "a", "c")(make_losses(a=1.0, c=3.0)).item()
    assert make(name)(make_losses(a=1.0, c=3.0)).item() == expected


@pytest.mark.parametrize("name", ["uncertainty", "imtl_l"])
def test_what_is_learned_of_a_head_that_did_not_run_gets_no_gradient(name: str) -> None:
    weighting = make(name)
    weighting(make_losses(a=1.0, c=3.0)).backward()
    with_gradient = [n.split(".")[2] for n, p in weighting.named_parameters() if p.grad is not None]
    assert with_gradient == ["a", "c"]


@pytest.mark.parametrize("heads", [["a"], ["b"], ["a", "b"]])
def test_dynamic_average_has_the_same_weights_for_all_batches(heads: List[str]) -> None:
    weighting = make_weighting("dynamic_average")
    losses = make_losses(**dict.fromkeys(heads, 1.0))
    weighting(losses).backward()
    expected = {"a": 0.5, "b": 1.5}
    assert {h: loss.grad for h, loss in losses.items()} == pytest.approx(
        {head: expected[head] for head in heads}
    )


def test_dynamic_average_averages_over_the_batches_of_each_head() -> None:
    weighting = make("dynamic_average")
    for losses in ({"a": 1.0}, {"a": 3.0}, {"b": 5.0}):
        weighting(make_losses(**losses))
    weighting.finish_epoch()
    values = {name: buffer.item() for name, buffer in weighting.named_buffers()}
    means = {head: values[f"tracked.by_head.{head}.mean"] for head in "abc"}
    assert means == {"a": 2.0, "b": 5.0, "c": 0.0}


def test_dynamic_average_leaves_a_head_without_two_epochs_at_weight_one() -> None:
    weighting = make("dynamic_average")
    for losses in ({"a": 1.0, "b": 1.0}, {"a": 0.5, "b": 1.0, "c": 1.0}):
        weighting(make_losses(**losses))
        weighting.finish_epoch()
    weighting.get_weights(reset=True)
    weighting(make_losses(a=1.0, b=1.0, c=1.0))
    weights = weighting.get_weights()
    assert weights["c"] == 1.0
    assert weights["a"] + weights["b"] == pytest.approx(2.0)


def test_dynamic_average_keeps_the_means_of_a_head_that_did_not_run_in_an_epoch() -> None:
    weighting = make_weighting("dynamic_average")
    weighting.finish_epoch()
    weighting(make_losses(a=1.0, b=1.0))
    assert weighting.get_weights(reset=True)["b"] > 1.0


def weights_of(weighting: LossWeighting, losses: Dict[str, float]) -> Dict[str, float]:
    weighting.get_weights(reset=True)
    weighting(make_losses(**losses))
    return weighting.get_weights(reset=True)


def test_famo_compares_the_batches_on_which_a_head_ran() -> None:
    weighting = make("famo")
    weighting(make_losses(a=4.0, b=1.0))
    weighting(make_losses(c=1.0))
    # The loss of a fell, and that of b did not: a gets less than the equal weight of before.
    weights = weights_of(weighting, {"a": 1.0, "b": 1.0})
    assert weights["a"] < 0.5 < weights["b"]
    assert weights["a"] + weights["b"] == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["random", "geometric", "famo", "smooth_tchebycheff"])
def test_the_first_batch_without_all_heads_is_reported_once(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    weighting = make(name).train()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            weighting(make_losses(a=1.0))
    assert caplog.messages == [
        f"The loss weighting {type(weighting).__name__} compares the losses of the heads in one "
        "batch, but a batch has losses of ['a'] only. Such batches are weighted by these heads "
        "alone. Use a scheduler that mixes tasks, or another loss weighting."
    ]


@pytest.mark.parametrize("name", ["sum", "mean", "uncertainty", "imtl_l", "dynamic_average"])
def test_other_weightings_report_nothing(name: str, caplog: pytest.LogCaptureFixture) -> None:
    make(name)(make_losses(a=1.0))
    assert caplog.messages == []


@pytest.mark.parametrize("name", CASES)
def test_a_head_can_be_added(name: str) -> None:
    weighting = make(name)
    weighting(make_losses(a=1.0, b=2.0, c=3.0))
    kept = {key: id(value) for key, value in weighting.named_parameters()}
    weighting.set_heads(["a", "b", "c", "d"])
    assert torch.isfinite(weighting(make_losses(a=1.0, d=3.0)))
    assert kept.items() <= {key: id(value) for key, value in weighting.named_parameters()}.items()
