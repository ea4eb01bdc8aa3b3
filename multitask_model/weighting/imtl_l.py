"""The `imtl_l` weighting."""

from typing import Dict

import torch
from overrides import overrides

from multitask_model.weighting.head_values import HeadValues
from multitask_model.weighting.loss_weighting import LossWeighting


@LossWeighting.register("imtl_l")
class ImtlLWeighting(LossWeighting):
    """
    Learns a scale of each head that brings all losses to the same size:

        loss = Σ_h (exp(s_h) · L_h - s_h)

    The loss balance IMTL-L of Liu et al. (2021), "Towards Impartial Multi-Task Learning" (ICLR
    2021), Section 3.2. The derivative by s_h is 0 where exp(s_h) · L_h = 1. Losses should be
    positive.

    The sum is over the heads that ran; the s_h of other heads get no gradient. All s_h start at 0,
    where the loss is the sum of the losses. They are parameters of the model, which the optimizer
    trains as all others. To exclude them from weight decay, add
    `"parameter_groups": [[["_balancing"], {"weight_decay": 0.0}]]` to the optimizer.

    Registered as a `LossWeighting` with name "imtl_l".

        >>> weighting = ImtlLWeighting()
        >>> weighting.set_heads(["ner", "pos"])
        >>> weighting({"ner": torch.tensor(2.0), "pos": torch.tensor(3.0)})
        tensor(5., grad_fn=<SumBackward0>)
    """

    def __init__(self) -> None:
        super().__init__()
        self.learned = HeadValues({"log_scale": 0.0}, learned=True)

    @overrides
    def forward(self, losses: Dict[str, torch.Tensor]) -> torch.Tensor:
        log_scales = self.learned.get("log_scale", losses)  # Shape: (H,)
        weights = torch.exp(log_scales)
        self.record_weights(losses, weights)
        return (weights * torch.stack(list(losses.values())) - log_scales).sum()
