"""The `sum` weighting."""

import torch

from multitask_model.weighting import LossWeighting, SumWeighting


def test_sum_is_the_default() -> None:
    assert LossWeighting.by_name("sum") is SumWeighting
    assert LossWeighting.default_implementation == "sum"


def test_a_single_loss_is_the_same_tensor() -> None:
    loss = torch.tensor(2.0)
    assert SumWeighting()({"a": loss}) is loss


def test_losses_are_added_in_their_order() -> None:
    # In another order, the sum of these would be rounded differently.
    values = [1e8, 1.0, -1e8]
    losses = {str(i): torch.tensor(value) for i, value in enumerate(values)}
    assert SumWeighting()(losses).item() == 0.0
    assert SumWeighting()({name: losses[name] for name in ("0", "2", "1")}).item() == 1.0
