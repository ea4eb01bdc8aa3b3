"""Checks of losses whose logarithm is taken."""

from typing import Mapping

import torch


def check_not_negative(weighting: str, losses: Mapping[str, torch.Tensor]) -> None:
    """
    # Raises

    `ValueError`
        If a loss is negative. NaN is not an error here, since the trainer reports it.
    """
    values = torch.stack([loss.detach() for loss in losses.values()])
    if bool((values < 0).any()):
        name, value = next((n, v) for n, v in zip(losses, values.tolist()) if v < 0)
        raise ValueError(
            f"The loss weighting {weighting!r} requires losses of at least 0, but got {value:.4g} "
            f"for the head {name!r}. Use another loss weighting, or a loss that cannot be negative."
        )
