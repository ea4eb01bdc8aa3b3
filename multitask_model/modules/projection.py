"""The last layers of a head: dropout, a feedforward network and a linear layer."""

from typing import Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.modules import FeedForward


class Projection(torch.nn.Module):
    """
    Applies dropout, an optional `FeedForward` and a linear layer to the last dimension.

    # Parameters

    input_dim : `int`
    output_dim : `int`
    feedforward : `FeedForward`, optional (default = `None`)
    dropout : `float`, optional (default = `None`)
        The probability of dropping an element of the input. `None` means no dropout.

    # Raises

    `ConfigurationError`
        If the `feedforward` does not accept vectors of size `input_dim`.

    # Examples

        >>> projection = Projection(input_dim=4, output_dim=3, dropout=0.1)
        >>> projection(torch.zeros(2, 5, 4)).shape
        torch.Size([2, 5, 3])
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        feedforward: Optional[FeedForward] = None,
        dropout: Optional[float] = None,
    ) -> None:
        super().__init__()
        self.input_dim = input_dim
        """The size of the last dimension of the input."""
        self._dropout = torch.nn.Dropout(dropout or 0.0)
        self._feedforward = feedforward
        self._linear = torch.nn.Linear(feedforward_output_dim(feedforward, input_dim), output_dim)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Maps (..., input_dim) to (..., output_dim)."""
        inputs = self._dropout(inputs)
        if self._feedforward is not None:
            inputs = self._feedforward(inputs)
        outputs: torch.Tensor = self._linear(inputs)
        return outputs


def feedforward_output_dim(feedforward: Optional[FeedForward], input_dim: int) -> int:
    """
    The size of a vector after the `feedforward`; `input_dim` if there is none.

    # Raises

    `ConfigurationError`
        If the `feedforward` does not accept vectors of size `input_dim`.
    """
    if feedforward is None:
        return input_dim
    if feedforward.get_input_dim() != input_dim:
        raise ConfigurationError(
            f"The feedforward of a head must accept vectors of size {input_dim}, but got one with "
            f"input_dim {feedforward.get_input_dim()}. Set its input_dim to {input_dim}."
        )
    return int(feedforward.get_output_dim())
