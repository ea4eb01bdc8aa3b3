"""What heads are built from: the layers before their scores, and the mean of their losses."""

from typing import Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.modules import FeedForward


class Projection(torch.nn.Module):
    """
    Dropout, an optional `FeedForward`, and a linear layer over the last dimension.

    # Parameters

    input_dim : `int`
    output_dim : `int`
    feedforward : `FeedForward`, optional (default = `None`)
    dropout : `float`, optional (default = `None`)
        Probability of dropping an element of the input. `None` is no dropout.

    # Raises

    `ConfigurationError`
        If the `feedforward` does not take vectors of `input_dim`.
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        feedforward: Optional[FeedForward] = None,
        dropout: Optional[float] = None,
    ) -> None:
        super().__init__()
        self._dropout = torch.nn.Dropout(dropout or 0.0)
        self._feedforward = feedforward
        self._linear = torch.nn.Linear(feedforward_output_dim(feedforward, input_dim), output_dim)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        inputs = self._dropout(inputs)
        if self._feedforward is not None:
            inputs = self._feedforward(inputs)
        return self._linear(inputs)


def feedforward_output_dim(feedforward: Optional[FeedForward], input_dim: int) -> int:
    """
    The size of vectors of `input_dim` after the feedforward layers, if there are any.

    # Raises

    `ConfigurationError`
        If they do not take vectors of that size.
    """
    if feedforward is None:
        return input_dim
    if feedforward.get_input_dim() != input_dim:
        raise ConfigurationError(
            "The feedforward of a head has to take the vectors that come before it, but those "
            f"have {input_dim} dimensions and feedforward takes {feedforward.get_input_dim()}. "
            f"Set its input_dim to {input_dim}."
        )
    return feedforward.get_output_dim()


def mean_per_instance(losses: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """
    The mean over rows of the mean over the tokens of each, so that one instance counts one
    instance, however long it is.

    # Parameters

    losses : `torch.Tensor`
        Of shape (B, T).
    counted : `torch.Tensor`
        Of shape (B, T), `True` for the tokens that count. Rows without any do not count either.

    # Returns

    `torch.Tensor`
        Of shape []; zero if nothing counts.
    """
    tokens = counted.sum(-1)  # (B,)
    means = losses.masked_fill(~counted, 0.0).sum(-1) / tokens.clamp(min=1)  # (B,)
    return means.sum() / (tokens > 0).sum().clamp(min=1)
