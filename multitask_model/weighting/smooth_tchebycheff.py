"""The `smooth_tchebycheff` weighting."""

from typing import Dict, Optional, Sequence

import torch
from allennlp.common.checks import ConfigurationError
from overrides import overrides

from multitask_model.errors import check_known
from multitask_model.weighting.loss_weighting import LossWeighting


@LossWeighting.register("smooth_tchebycheff")
class SmoothTchebycheffWeighting(LossWeighting):
    """
    A smooth maximum of the losses of the H heads that ran:

        loss = μ · log Σ_h exp((L_h - z_h) / (H · μ))

    The smooth Tchebycheff scalarization of Lin et al. (2024), "Smooth Tchebycheff Scalarization for
    Multi-Objective Optimization" (arXiv:2402.19078), with equal preferences λ_h = 1 / H. For other
    preferences, set `loss_weights` of the model. As μ approaches 0, the loss approaches the maximum
    of (L_h - z_h) / H, and the head with the largest loss gets all of the weight.

    The weights are softmax((L_h - z_h) / (H · μ)) / H, and sum to 1 / H. With a single head, the
    loss is L_h - z_h.

    Registered as a `LossWeighting` with name "smooth_tchebycheff".

        >>> weighting = SmoothTchebycheffWeighting(mu=0.01)
        >>> weighting({"ner": torch.tensor(2.0), "pos": torch.tensor(3.0)})
        tensor(1.5000)

    # Parameters

    mu : `float`, optional (default = `0.1`)
        The smoothing μ.
    reference : `Dict[str, float]`, optional (default = 0 for each head)
        The ideal loss z_h of each head, after `loss_weights` and `loss_reduction`.

    # Raises

    `ConfigurationError`
        If `mu` is not positive, or `reference` names something else than heads.
    """

    compares_heads = True

    def __init__(self, mu: float = 0.1, reference: Optional[Dict[str, float]] = None) -> None:
        super().__init__()
        if mu <= 0:
            raise ConfigurationError(
                f"mu of the loss weighting 'smooth_tchebycheff' must be positive, but got {mu}. "
                "The paper uses values from 0.01 to 1."
            )
        self.mu, self.reference = mu, dict(reference or {})

    @overrides
    def set_heads(self, names: Sequence[str]) -> None:
        check_known("reference of the loss weighting", "a head", self.reference, names)
        super().set_heads(names)

    @overrides
    def forward(self, losses: Dict[str, torch.Tensor]) -> torch.Tensor:
        values = torch.stack(list(losses.values()))  # Shape: (H,)
        ideal = values.new_tensor([self.reference.get(name, 0.0) for name in losses])
        exponents = (values - ideal) / (len(values) * self.mu)
        self.record_weights(losses, torch.softmax(exponents.detach(), dim=0) / len(values))
        return self.mu * torch.logsumexp(exponents, dim=0)
