"""Tensors of predictions for sequences of different lengths, padded with -1."""

from typing import List

import torch

PADDING = -1
"""Marks positions without a token in a tensor of predictions."""


def to_unpadded_lists(values: torch.Tensor) -> List[List[int]]:
    """The rows of a tensor of shape (B, T) as lists, without `PADDING`."""
    return [[value for value in row if value != PADDING] for row in values.tolist()]


def strip_padding(values: torch.Tensor, predicted: torch.Tensor) -> List[torch.Tensor]:
    """
    # Parameters

    values : `torch.Tensor`
        Of shape (B, T, ...).
    predicted : `torch.Tensor`
        Of shape (B, T), with `PADDING` where there is no token.

    # Returns

    `List[torch.Tensor]`
        For each row the values at its tokens, of shape (number of tokens, ...).
    """
    return [row[is_token] for row, is_token in zip(values, predicted != PADDING)]
