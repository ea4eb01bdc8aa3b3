"""The `dynamic_average` weighting."""

from typing import Dict, Sequence

import torch
from allennlp.common.checks import ConfigurationError
from overrides import overrides

from multitask_model.weighting.head_values import HeadValues
from multitask_model.weighting.loss_weighting import LossWeighting


@LossWeighting.register("dynamic_average")
class DynamicAverageWeighting(LossWeighting):
    """
    Gives more weight to heads whose loss falls more slowly than that of others:

        loss = Σ_h λ_h · L_h
        λ_h = K · exp(r_h / T) / Σ_i exp(r_i / T),   r_h = M_h(t-1) / M_h(t-2)

    Dynamic weight average (DWA), Equation 7 of Liu, Johns and Davison (2019), "End-to-End
    Multi-Task Learning with Attention" (arXiv:1803.10704). M_h(t) is the mean of L_h over the
    batches of epoch t that head h ran on, K the number of heads, and T the temperature.

    The weights of an epoch are the same for all its batches, whichever heads run. K and the sum are
    over all heads that had losses in two epochs; other heads have weight 1, and so have all heads
    in the first two epochs. A head that did not run in an epoch keeps its r_h. Where M_h(t-2) is 0,
    r_h is 1. An epoch ends when the model's metrics are reset in training mode, which the trainer
    does.

    Registered as a `LossWeighting` with name "dynamic_average".

        >>> weighting = DynamicAverageWeighting()
        >>> weighting.set_heads(["ner", "pos"])
        >>> for ner, pos in [(4.0, 4.0), (2.0, 4.0)]:
        ...     _ = weighting({"ner": torch.tensor(ner), "pos": torch.tensor(pos)})
        ...     weighting.finish_epoch()
        >>> weighting({"ner": torch.tensor(1.0), "pos": torch.tensor(0.0)})
        tensor(0.8756)

    # Parameters

    temperature : `float`, optional (default = `2.0`)
        T. The larger, the closer the weights are to 1.

    # Raises

    `ConfigurationError`
        If `temperature` is not positive.
    """

    def __init__(self, temperature: float = 2.0) -> None:
        super().__init__()
        if temperature <= 0:
            raise ConfigurationError(
                "temperature of the loss weighting 'dynamic_average' must be positive, but got "
                f"{temperature}. The paper uses 2.0."
            )
        self.temperature = temperature
        tracked = ("sum", "batches", "epochs", "mean", "mean_before")
        self.tracked = HeadValues({"weight": 1.0, **dict.fromkeys(tracked, 0.0)})

    @overrides
    def forward(self, losses: Dict[str, torch.Tensor]) -> torch.Tensor:
        if self.training:
            values = torch.stack([loss.detach() for loss in losses.values()])
            self.tracked.add("sum", list(losses), values)
            self.tracked.add("batches", list(losses), torch.ones_like(values))
        weights = self.tracked.get("weight", losses)  # Shape: (H,)
        self.record_weights(losses, weights)
        return (weights * torch.stack(list(losses.values()))).sum()

    @overrides
    def finish_epoch(self) -> None:
        batches = self.tracked.get("batches", self.head_names)
        ran = [name for name, count in zip(self.head_names, batches.tolist()) if count]
        if ran:
            self._finish_epoch_of(ran)
        mean, before, epochs = (
            self.tracked.get(key, self.head_names) for key in ("mean", "mean_before", "epochs")
        )
        rates = torch.where(before == 0, torch.ones_like(mean), mean / before)
        weights = dynamic_average_weights(rates, epochs > 1, self.temperature)
        self.tracked.put("weight", self.head_names, weights)

    def _finish_epoch_of(self, names: Sequence[str]) -> None:
        means = self.tracked.get("sum", names) / self.tracked.get("batches", names)
        self.tracked.put("mean_before", names, self.tracked.get("mean", names))
        self.tracked.put("mean", names, means)
        self.tracked.add("epochs", names, torch.ones_like(means))
        for key in ("sum", "batches"):
            self.tracked.put(key, names, torch.zeros_like(means))


def dynamic_average_weights(
    rates: torch.Tensor, has_rate: torch.Tensor, temperature: float
) -> torch.Tensor:
    """
    # Parameters

    rates : `torch.Tensor`
        The ratio r_h of the last two mean losses of each head, of shape `(H,)`.
    has_rate : `torch.Tensor`
        Whether the head has this ratio, of shape `(H,)`. Otherwise its weight is 1.
    temperature : `float`

    # Returns

    `torch.Tensor`
        The weights, of shape `(H,)`.
    """
    logits = (rates / temperature).masked_fill(~has_rate, float("-inf"))
    weights = has_rate.sum() * torch.softmax(logits, dim=0)
    return torch.where(has_rate, weights, torch.ones_like(rates))
