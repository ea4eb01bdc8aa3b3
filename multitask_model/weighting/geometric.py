"""The `geometric` weighting."""

from typing import Dict

import torch
from overrides import overrides

from multitask_model.weighting.loss_weighting import LossWeighting
from multitask_model.weighting.positive_losses import check_not_negative


@LossWeighting.register("geometric")
class GeometricWeighting(LossWeighting):
    """
    The geometric mean of the losses of the H heads that ran, computed from their logarithms:

        loss = (Π_h L_h)^(1/H) = exp((1 / H) · Σ_h log L_h)

    The geometric loss strategy (GLS) of Chennupati et al. (2019), "MultiNet++: Multi-Stream Feature
    Aggregation and Geometric Loss Strategy for Multi-Task Learning" (arXiv:1904.08492).

    The weight of a head is loss / (H · L_h): a factor of one loss changes all gradients alike. With
    a single head, the loss is that head's. The gradient of a loss of 0 would be infinite, so that
    losses below the smallest normal number count as that number and get no gradient.

    Registered as a `LossWeighting` with name "geometric".

        >>> GeometricWeighting()({"ner": torch.tensor(2.0), "pos": torch.tensor(8.0)})
        tensor(4.)

    # Raises

    `ValueError`
        If a loss is negative.
    """

    compares_heads = True

    @overrides
    def forward(self, losses: Dict[str, torch.Tensor]) -> torch.Tensor:
        check_not_negative("geometric", losses)
        values = torch.stack(list(losses.values()))  # Shape: (H,)
        smallest = torch.finfo(values.dtype).tiny
        logarithms = torch.log(values.clamp(min=smallest))
        mean = logarithms.mean()
        derivatives = torch.exp(mean - logarithms) / len(values)
        self.record_weights(losses, derivatives.masked_fill(values < smallest, 0.0))
        return torch.exp(mean)
