"""The `random` weighting."""

from typing import Dict

import torch
from allennlp.common.util import is_distributed
from overrides import overrides

from multitask_model.weighting.loss_weighting import LossWeighting


@LossWeighting.register("random")
class RandomWeighting(LossWeighting):
    """
    Draws the weights of each training batch at random:

        loss = Σ_h λ_h · L_h,   λ = softmax(z),   z_h ~ N(0, 1)

    Random loss weighting (RLW), Algorithm 2 of Lin et al. (2022), "Reasonable Effectiveness of
    Random Weighting: A Litmus Test for Multi-Task Learning" (arXiv:2111.10603), with normal
    distributions.

    The softmax is over the heads that ran: a single head has weight 1, so that batches of one head
    are trained as with `mean`. In evaluation, all weights are their expectation, 1 / H.

    Registered as a `LossWeighting` with name "random".

        >>> weighting = RandomWeighting().eval()
        >>> weighting({"ner": torch.tensor(2.0), "pos": torch.tensor(3.0)})
        tensor(2.5000)
    """

    compares_heads = True

    @overrides
    def forward(self, losses: Dict[str, torch.Tensor]) -> torch.Tensor:
        values = torch.stack(list(losses.values()))  # Shape: (H,)
        logits = values.new_zeros(len(values))
        if self.training:
            logits.normal_()
            if is_distributed():
                torch.distributed.broadcast(logits, src=0)  # the same weights in all processes
        weights = torch.softmax(logits, dim=0)
        self.record_weights(losses, weights)
        return (weights * values).sum()
