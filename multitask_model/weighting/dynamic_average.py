"""The `dynamic_average` weighting."""

from typing import Dict, List, Sequence, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from overrides import overrides

from multitask_model.weighting.head_values import HeadValues
from multitask_model.weighting.loss_weighting import LossWeighting
from multitask_model.weighting.processes import mean_over_processes


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
        tracked = ("epochs", "mean_before", "mean", "sum", "batches")
        self.tracked = HeadValues(dict.fromkeys(tracked, 0.0))

    @overrides
    def set_heads(self, names: Sequence[str]) -> None:
        super().set_heads(names)
        self.tracked.set_heads(names)

    @overrides
    def forward(self, losses: Dict[str, torch.Tensor]) -> torch.Tensor:
        weights = self._weights()[[self.head_names.index(name) for name in losses]]  # Shape: (H,)
        if self.training:
            names, means = mean_over_processes(losses, self.head_names)
            self._add("sum", names, means)
            self._add("batches", names, torch.ones_like(means))
        self.record_weights(losses, weights)
        return (weights * torch.stack(list(losses.values()))).sum()

    def _weights(self) -> torch.Tensor:
        mean, before, epochs = (
            self.tracked.get(key, self.head_names) for key in ("mean", "mean_before", "epochs")
        )
        rates = torch.where(before == 0, torch.ones_like(mean), mean / before)
        return dynamic_average_weights(rates, epochs > 1, self.temperature)

    def _add(self, key: str, names: Sequence[str], values: torch.Tensor) -> None:
        self.tracked.put(key, names, self.tracked.get(key, names) + values)

    @overrides
    def finish_epoch(self) -> None:
        ran, means = self._epoch_means()
        if ran:
            self.tracked.put("mean_before", ran, self.tracked.get("mean", ran))
            self.tracked.put("mean", ran, means)
            self._add("epochs", ran, torch.ones_like(means))
            for key in ("sum", "batches"):
                self.tracked.put(key, ran, torch.zeros_like(means))

    def _epoch_means(self) -> Tuple[List[str], torch.Tensor]:
        batches = self.tracked.get("batches", self.head_names)
        means = self.tracked.get("sum", self.head_names) / batches
        ran = batches.nonzero().squeeze(1)
        return [self.head_names[i] for i in ran.tolist()], means[ran]


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
