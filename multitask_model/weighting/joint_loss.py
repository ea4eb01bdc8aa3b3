"""The joint loss of a batch."""

import math
from numbers import Real
from typing import Mapping

import torch
from allennlp.common.checks import ConfigurationError

from multitask_model.errors import check_choice
from multitask_model.routing.output_names import BACKBONE
from multitask_model.weighting.loss_weighting import LossWeighting
from multitask_model.weighting.sum import SumWeighting, sum_losses

LOSS_REDUCTIONS = ("heads", "instances")


class JointLoss:
    """
    Computes the joint loss of a batch. The losses L_h of the heads that ran are scaled to

    - w_h · L_h with the reduction `"heads"`,
    - w_h · (rows_h / B) · L_h with `"instances"`,

    where w_h is the weight of head h, rows_h the number of rows that L_h is the mean of, and B the
    batch size. The weighting combines them. A loss of the backbone is added, with its own weight.

        >>> joint_loss = JointLoss({"ner": 0.5}, "heads", LossWeighting.by_name("sum")())
        >>> losses = {"ner": torch.tensor(4.0), "pos": torch.tensor(3.0)}
        >>> joint_loss(losses, rows={"ner": 8, "pos": 8}, batch_size=16)
        tensor(5.)

    # Parameters

    weights : `Mapping[str, float]`
        The weights of the components; 1.0 for those that are left out.
    reduction : `str`
        `"heads"` or `"instances"`.
    weighting : `LossWeighting`

    # Raises

    `ConfigurationError`
        If `reduction` is neither, or a weight is negative or no finite number.
    """

    def __init__(
        self, weights: Mapping[str, float], reduction: str, weighting: LossWeighting
    ) -> None:
        check_weights(weights)
        check_choice("loss_reduction", reduction, LOSS_REDUCTIONS)
        self._weights = {name: weight for name, weight in weights.items() if weight != 1.0}
        self._by_instances = reduction == "instances"
        self._weighting = weighting
        self._is_sum = type(weighting) is SumWeighting

    def set_weight(self, component: str, weight: float) -> None:
        """Sets the weight of a component."""
        self._weights[component] = weight

    def __call__(
        self, losses: Mapping[str, torch.Tensor], rows: Mapping[str, int], batch_size: int
    ) -> torch.Tensor:
        """
        # Parameters

        losses : `Mapping[str, torch.Tensor]`
            The loss of each component that returned one, of shape `[]`, in the order of the
            components. At least one.
        rows : `Mapping[str, int]`
            The number of rows that each of these losses is the mean of.
        batch_size : `int`

        # Returns

        `torch.Tensor`
            The joint loss, of shape `[]`. It is the loss of a head itself if that is the only one
            and is not scaled.
        """
        if self._is_sum and not self._weights and not self._by_instances:
            # The fast path, which takes the only loss without a call.
            return sum_losses(losses) if len(losses) > 1 else next(iter(losses.values()))
        scaled = dict(losses)
        if self._by_instances:
            for name in losses:
                if rows[name] != batch_size:
                    scaled[name] = rows[name] / batch_size * scaled[name]
        for name in self._weights.keys() & scaled.keys():
            scaled[name] = self._weights[name] * scaled[name]
        if self._is_sum:
            # The same without the cost of a module call, which shows in a step of a light model.
            return sum_losses(scaled)
        of_backbone = scaled.pop(BACKBONE, None)
        if not scaled:
            assert of_backbone is not None
            return of_backbone
        joint: torch.Tensor = self._weighting(scaled)
        return joint if of_backbone is None else of_backbone + joint


def check_weights(weights: Mapping[str, object], parameter: str = "loss_weights") -> None:
    """
    # Raises

    `ConfigurationError`
        If a weight is negative or no finite number.
    """
    for name, weight in weights.items():
        if isinstance(weight, torch.Tensor) and weight.dim() == 0:
            weight = weight.item()
        is_number = isinstance(weight, Real) and not isinstance(weight, bool)
        if not is_number or not 0 <= weight < math.inf:  # type: ignore[operator]
            raise ConfigurationError(
                f"{parameter} must have a finite number of at least 0 for each component, but got "
                f"{weight!r} for {name!r}. A weight of 0 leaves a loss out."
            )
