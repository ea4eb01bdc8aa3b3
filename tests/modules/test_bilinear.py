"""Bilinear scores by matrix products."""

import torch

from multitask_model.modules.bilinear import project_bilinear, score_bilinear


def test_scores_and_gradients_are_those_of_the_module() -> None:
    torch.manual_seed(0)
    bilinear = torch.nn.Bilinear(5, 4, 3).double()
    left = torch.randn(2, 6, 5, dtype=torch.double, requires_grad=True)
    right = torch.randn(2, 6, 4, dtype=torch.double, requires_grad=True)
    expected = bilinear(left, right)
    found = score_bilinear(bilinear, project_bilinear(bilinear, left), right)
    torch.testing.assert_close(found, expected)
    inputs, weights = [left, right, *bilinear.parameters()], torch.randn_like(expected)
    torch.testing.assert_close(
        torch.autograd.grad(found, inputs, weights), torch.autograd.grad(expected, inputs, weights)
    )
