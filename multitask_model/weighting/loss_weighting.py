"""The base class of loss weightings."""

from typing import Dict, Sequence

import torch
from allennlp.common import Registrable


class LossWeighting(torch.nn.Module, Registrable):
    """
    Combines the losses of the heads that ran into one.

    A weighting of your own implements `forward` and is registered by
    `@LossWeighting.register("name")`. Its parameters are trained with those of the model.

        >>> import torch
        >>> class MaxWeighting(LossWeighting):
        ...     def forward(self, losses):
        ...         return torch.stack(list(losses.values())).max()
        >>> MaxWeighting()({"ner": torch.tensor(2.0), "pos": torch.tensor(3.0)})
        tensor(3.)
    """

    default_implementation = "sum"

    def set_heads(self, names: Sequence[str]) -> None:
        """
        Called by the model at construction, and again when a head is added.

        # Parameters

        names : `Sequence[str]`
            All heads of the model, in their order.
        """

    def forward(self, losses: Dict[str, torch.Tensor]) -> torch.Tensor:
        """
        # Parameters

        losses : `Dict[str, torch.Tensor]`
            At least one loss of shape `[]`, by the name of its head: the losses of the heads that
            ran on this batch, in the order of the heads. They are already multiplied by
            `loss_weights` and scaled by `loss_reduction`.

        # Returns

        `torch.Tensor`
            The combined loss, of shape `[]`.
        """
        raise NotImplementedError
