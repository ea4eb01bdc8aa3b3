"""The `uncertainty` weighting."""

from typing import Dict

import torch
from overrides import overrides

from multitask_model.weighting.head_values import HeadValues
from multitask_model.weighting.loss_weighting import LossWeighting


@LossWeighting.register("uncertainty")
class UncertaintyWeighting(LossWeighting):
    """
    Learns an uncertainty σ_h of each head, and weights its loss by the inverse of the variance:

        loss = Σ_h (L_h / (2 · σ_h²) + log σ_h) = Σ_h ½ · (exp(-s_h) · L_h + s_h)

    Equation 7 of Kendall, Gal and Cipolla (2018), "Multi-Task Learning Using Uncertainty to Weigh
    Losses for Scene Geometry and Semantics" (arXiv:1705.07115). As proposed there, the log-variance
    s_h = log σ_h² is learned. All losses have the factor ½, which the paper derives for regression.

    The sum is over the heads that ran; the s_h of other heads get no gradient. All s_h start at 0,
    so that each weight starts at ½. The derivative by s_h is 0 where s_h = log L_h.

    The s_h are parameters of the model, which the optimizer trains as all others. Weight decay
    pulls them to 0, that is, to equal weights. To exclude them from weight decay, add
    `"parameter_groups": [[["_balancing"], {"weight_decay": 0.0}]]` to the optimizer.

    Registered as a `LossWeighting` with name "uncertainty".

        >>> weighting = UncertaintyWeighting()
        >>> weighting.set_heads(["ner", "pos"])
        >>> weighting({"ner": torch.tensor(2.0), "pos": torch.tensor(3.0)})
        tensor(2.5000, grad_fn=<SumBackward0>)
    """

    def __init__(self) -> None:
        super().__init__()
        self.learned = HeadValues({"log_variance": 0.0}, learned=True)

    @overrides
    def forward(self, losses: Dict[str, torch.Tensor]) -> torch.Tensor:
        log_variances = self.learned.get("log_variance", losses)  # Shape: (H,)
        weights = 0.5 * torch.exp(-log_variances)
        self.record_weights(losses, weights)
        return (weights * torch.stack(list(losses.values())) + 0.5 * log_variances).sum()
