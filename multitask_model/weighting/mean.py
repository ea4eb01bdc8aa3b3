"""The `mean` weighting."""

from typing import Dict

import torch
from overrides import overrides

from multitask_model.weighting.loss_weighting import LossWeighting


@LossWeighting.register("mean")
class MeanWeighting(LossWeighting):
    """
    Averages the losses of the heads that ran: loss = (1 / H) · Σ_h L_h, where H is the number of
    these heads. With a single head it is that head's loss.

    Registered as a `LossWeighting` with name "mean".

        >>> MeanWeighting()({"ner": torch.tensor(2.0), "pos": torch.tensor(3.0)})
        tensor(2.5000)
    """

    @overrides
    def forward(self, losses: Dict[str, torch.Tensor]) -> torch.Tensor:
        values = torch.stack(list(losses.values()))
        self.record_weights(losses, torch.full_like(values, 1 / len(values)))
        return values.mean()
