"""Losses of tokens, averaged so that every instance has the same weight."""

import torch


def mean_per_instance(losses: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """
    The mean over instances of each instance's mean over its tokens. Every instance has the same
    weight, whatever its length.

    # Parameters

    losses : `torch.Tensor`
        Of shape (B, T).
    mask : `torch.Tensor`
        Of shape (B, T), `True` for the tokens to include. Instances without any are excluded.

    # Returns

    `torch.Tensor`
        Of shape []; zero if the mask is `False` everywhere.

    # Examples

        >>> losses = torch.tensor([[1.0, 3.0], [5.0, 0.0]])
        >>> mean_per_instance(losses, torch.tensor([[True, True], [True, False]]))
        tensor(3.5000)
    """
    tokens = mask.sum(-1)  # (B,)
    means = losses.masked_fill(~mask, 0.0).sum(-1) / tokens.clamp(min=1)  # (B,)
    return means.sum() / (tokens > 0).sum().clamp(min=1)


def cross_entropy_per_instance(
    logits: torch.Tensor, targets: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """
    The cross entropy of tokens, averaged by `mean_per_instance`.

    # Parameters

    logits : `torch.Tensor`
        Of shape (B, T, C).
    targets : `torch.Tensor`
        Of shape (B, T), from 0 to C - 1 at every position.
    mask : `torch.Tensor`
        Of shape (B, T), `True` for the tokens to include.

    # Returns

    `torch.Tensor`
        Of shape [].
    """
    # With classes in the last dimension, the softmax reads memory in order.
    losses = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), reduction="none"
    )  # (B * T,)
    return mean_per_instance(losses.view_as(mask), mask)
