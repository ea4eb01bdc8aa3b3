"""The `sum` weighting."""

from typing import Dict, Mapping

import torch
from overrides import overrides

from multitask_model.weighting.loss_weighting import LossWeighting


@LossWeighting.register("sum")
class SumWeighting(LossWeighting):
    """
    Adds up the losses: loss = Σ_h L_h, in the order of the heads, as AllenNLP's model does.

    All weights are 1, so that they are not reported as metrics.

    Registered as a `LossWeighting` with name "sum", which is the default.

        >>> SumWeighting()({"ner": torch.tensor(2.0), "pos": torch.tensor(3.0)})
        tensor(5.)
    """

    @overrides
    def forward(self, losses: Dict[str, torch.Tensor]) -> torch.Tensor:
        return sum_losses(losses)

    @overrides
    def get_weights(self, reset: bool = False) -> Dict[str, float]:
        return {}


def sum_losses(losses: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Adds up at least one loss. A single loss is returned as it is."""
    remaining = iter(losses.values())
    total = next(remaining)
    for loss in remaining:
        total = total + loss
    return total
