"""The joint loss of a batch."""

from typing import Dict, Mapping, Optional

import torch

from multitask_model.errors import check_choice
from multitask_model.routing.calls import Loss, Result
from multitask_model.routing.outputs import BACKBONE
from multitask_model.weighting.loss_weighting import LossWeighting

LOSS_REDUCTIONS = ("heads", "instances")


class JointLoss:
    """
    Computes the joint loss of a batch. The losses L_h of the heads that ran are scaled to

    - w_h · L_h with the reduction `"heads"`,
    - w_h · (rows_h / B) · L_h with `"instances"`,

    where w_h is the weight of head h, rows_h the number of rows that L_h is the mean of, and B the
    batch size. The weighting combines them. A loss of the backbone is added, with its own weight.

        >>> joint_loss = JointLoss({"ner": 0.5}, "heads", LossWeighting.by_name("sum")())
        >>> results = {"ner": Result({}, torch.tensor(4.0), 8), "pos": Result({}, 3.0, 8)}
        >>> joint_loss(results, batch_size=16)
        tensor(5.)

    # Parameters

    weights : `Mapping[str, float]`
        The weights of the components; 1.0 for those that are left out.
    reduction : `str`
        `"heads"` or `"instances"`.
    weighting : `LossWeighting`

    # Raises

    `ConfigurationError`
        If `reduction` is neither.
    """

    def __init__(
        self, weights: Mapping[str, float], reduction: str, weighting: LossWeighting
    ) -> None:
        check_choice("loss_reduction", reduction, LOSS_REDUCTIONS)
        self._weights = dict(weights)
        self._by_instances = reduction == "instances"
        self._weighting = weighting

    def set_weight(self, component: str, weight: float) -> None:
        """Sets the weight of a component."""
        self._weights[component] = weight

    def __call__(self, results: Mapping[str, Result], batch_size: int) -> Optional[torch.Tensor]:
        """
        # Parameters

        results : `Mapping[str, Result]`
            What each component returned, in the order of the components.
        batch_size : `int`

        # Returns

        `Optional[torch.Tensor]`
            The joint loss, of shape `[]`, or `None` if no component returned a loss. It is the loss
            of a head itself if that is the only one and is not scaled.
        """
        losses = _as_tensors(
            {
                name: self._scale(name, result.loss, result.loss_rows / batch_size)
                for name, result in results.items()
                if result.loss is not None
            }
        )
        of_backbone = losses.pop(BACKBONE, None)
        if not losses:
            return of_backbone
        joint: torch.Tensor = self._weighting(losses)
        return joint if of_backbone is None else of_backbone + joint

    def _scale(self, name: str, loss: Loss, proportion: float) -> Loss:
        weight = self._weights.get(name, 1.0)
        if self._by_instances:
            weight = proportion * weight
        return loss if weight == 1.0 else weight * loss


def _as_tensors(losses: Mapping[str, Loss]) -> Dict[str, torch.Tensor]:
    """Makes tensors of losses that are numbers, of the type and on the device of the others."""
    tensors = {name: loss for name, loss in losses.items() if isinstance(loss, torch.Tensor)}
    if len(tensors) == len(losses):
        return tensors
    like = next(iter(tensors.values()), torch.zeros(()))
    return {
        name: tensors[name] if name in tensors else torch.as_tensor(loss).to(like)
        for name, loss in losses.items()
    }
