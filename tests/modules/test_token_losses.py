"""Losses of tokens, averaged per instance."""

import math

import pytest
import torch

from multitask_model.modules.token_losses import cross_entropy_per_instance, mean_per_instance


def test_every_instance_has_the_same_weight() -> None:
    losses = torch.tensor([[1.0, 2.0, 3.0], [8.0, 9.0, 9.0]])
    mask = torch.tensor([[True, True, True], [True, False, False]])
    assert mean_per_instance(losses, mask).item() == (2.0 + 8.0) / 2


def test_instances_without_tokens_are_excluded() -> None:
    losses = torch.tensor([[1.0, 3.0], [float("nan"), float("inf")]])
    mask = torch.tensor([[True, True], [False, False]])
    assert mean_per_instance(losses, mask).item() == 2.0


def test_the_mean_of_nothing_is_zero_and_has_a_gradient() -> None:
    losses = torch.ones(2, 2, requires_grad=True)
    mean = mean_per_instance(losses, torch.zeros(2, 2, dtype=torch.bool))
    mean.backward()
    assert mean.item() == 0.0
    assert losses.grad is not None
    assert losses.grad.abs().sum() == 0


def test_cross_entropy_is_averaged_per_instance() -> None:
    # The probabilities of the two classes are 3/4 and 1/4.
    logits = torch.tensor([math.log(3.0), 0.0]).expand(2, 2, 2)
    targets = torch.tensor([[0, 1], [1, 0]])
    mask = torch.tensor([[True, True], [True, False]])
    expected = (-(math.log(3 / 4) + math.log(1 / 4)) / 2 - math.log(1 / 4)) / 2
    assert cross_entropy_per_instance(logits, targets, mask).item() == pytest.approx(expected)


def test_cross_entropy_and_its_gradient_are_those_of_classes_in_the_second_dimension() -> None:
    torch.manual_seed(0)
    logits = torch.randn(3, 4, 5, dtype=torch.double, requires_grad=True)
    targets, mask = torch.randint(5, (3, 4)), torch.rand(3, 4) < 0.7
    losses = torch.nn.functional.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
    expected = mean_per_instance(losses, mask)
    found = cross_entropy_per_instance(logits, targets, mask)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(
        torch.autograd.grad(found, logits), torch.autograd.grad(expected, logits)
    )
