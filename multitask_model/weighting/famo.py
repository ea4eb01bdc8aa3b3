"""The `famo` weighting."""

from typing import Dict, Sequence

import torch
from overrides import overrides

from multitask_model.weighting.head_values import HeadValues
from multitask_model.weighting.loss_weighting import LossWeighting
from multitask_model.weighting.positive_losses import check_not_negative

EPSILON = 1e-8
BETAS = (0.9, 0.999)


@LossWeighting.register("famo")
class FamoWeighting(LossWeighting):
    """
    Decreases the logarithms of all losses at the same rate:

        loss = c · Σ_h z_h · log(L_h + ε),   z = softmax(w),   c = 1 / Σ_h (z_h / (L_h + ε))

    where c is a constant in the backward pass, so that the weights c · z_h / (L_h + ε) sum to 1.
    Fast adaptive multitask optimization (FAMO) of Liu et al. (2023), Algorithm 1 of "FAMO: Fast
    Adaptive Multitask Optimization" (arXiv:2306.03792). Each training step moves the logits w
    against J_z(w)ᵀ d with Adam, where d_h is how much log(L_h + ε) fell in the step before, and J_z
    is the Jacobian of the softmax.

    The softmax is over the heads that ran: a single head has weight 1, so that batches of one head
    are trained as with `mean`.

    **Departure:** the paper takes d_h from the same batch, before and after the step of the
    optimizer. That takes another forward pass for each step. Here d_h is the difference between two
    successive batches of head h. It has the noise of the batches, which `lr` averages out.

    Registered as a `LossWeighting` with name "famo".

        >>> weighting = FamoWeighting()
        >>> weighting.set_heads(["ner", "pos"])
        >>> weighting({"ner": torch.tensor(1.0), "pos": torch.tensor(4.0)})
        tensor(1.1090)

    # Parameters

    lr : `float`, optional (default = `0.025`)
        The learning rate of the logits.
    weight_decay : `float`, optional (default = `0.001`)
        The weight decay of the logits, γ in the paper.

    # Raises

    `ValueError`
        If a loss is negative.
    """

    compares_heads = True

    def __init__(self, lr: float = 0.025, weight_decay: float = 0.001) -> None:
        super().__init__()
        self.lr, self.weight_decay = lr, weight_decay
        tracked = ("logit", "steps", "mean", "square", "log_loss", "has_log_loss")
        self.tracked = HeadValues(dict.fromkeys(tracked, 0.0))

    @overrides
    def forward(self, losses: Dict[str, torch.Tensor]) -> torch.Tensor:
        check_not_negative("famo", losses)
        if self.training:
            self._update(losses)
        shifted = torch.stack(list(losses.values())) + EPSILON  # Shape: (H,)
        proportions = torch.softmax(self.tracked.get("logit", losses), dim=0)
        weights = proportions / shifted.detach()
        normalizer = weights.sum()
        self.record_weights(losses, weights / normalizer)
        return (proportions / normalizer * torch.log(shifted)).sum()

    def _update(self, losses: Dict[str, torch.Tensor]) -> None:
        """Moves the logits by how much the losses fell since the batch before."""
        ran, means = list(losses), torch.stack([loss.detach() for loss in losses.values()])
        now = dict(zip(ran, torch.log(means + EPSILON)))
        seen = self.tracked.get("has_log_loss", ran).tolist()
        both = [name for name, has_log_loss in zip(ran, seen) if has_log_loss]
        if both:
            falls = self.tracked.get("log_loss", both) - torch.stack([now[n] for n in both])
            self._step(both, falls)
        self.tracked.put("log_loss", ran, torch.stack(list(now.values())))
        self.tracked.put("has_log_loss", ran, torch.ones_like(means))

    def _step(self, names: Sequence[str], falls: torch.Tensor) -> None:
        """A step of Adam on the logits of these heads."""
        logits, steps, mean, square = (
            self.tracked.get(key, names) for key in ("logit", "steps", "mean", "square")
        )
        proportions = torch.softmax(logits, dim=0)
        gradient = proportions * (falls - (proportions * falls).sum()) + self.weight_decay * logits
        steps = steps + 1
        mean = BETAS[0] * mean + (1 - BETAS[0]) * gradient
        square = BETAS[1] * square + (1 - BETAS[1]) * gradient**2
        corrected = (square / (1 - BETAS[1] ** steps)).sqrt() + EPSILON
        logits = logits - self.lr * (mean / (1 - BETAS[0] ** steps)) / corrected
        for key, values in zip(("logit", "steps", "mean", "square"), (logits, steps, mean, square)):
            self.tracked.put(key, names, values)
