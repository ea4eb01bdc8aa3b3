"""The joint loss of a batch."""

import numbers
from typing import Any, Mapping

import torch

# See `loss_reduction` of `MultiTaskModel`.
LOSS_REDUCTIONS = ("heads", "instances")


def as_scalar(component: str, loss: Any) -> Any:
    """
    # Returns

    The loss as a number or a tensor of shape `[]`.

    # Raises

    `ValueError`
        If it is not one number.
    """
    if isinstance(loss, torch.Tensor):
        if not loss.dim():
            return loss
        if loss.numel() == 1:
            return loss.reshape(())
    elif isinstance(loss, numbers.Real):
        return loss
    is_tensor = isinstance(loss, torch.Tensor)
    found = f"a tensor of shape {list(loss.shape)}" if is_tensor else repr(loss)
    raise ValueError(
        f"The loss of {component!r} must be one number, but it is {found}. Reduce it in the "
        "forward() of that component, for example with .mean()."
    )


def joint_loss(
    losses: Mapping[str, Any], weights: Mapping[str, float], own: bool = False
) -> torch.Tensor:
    """
    The sum of weight times loss over the components that have a loss, added up in their order.

    # Parameters

    losses : `Mapping[str, Any]`
        Tensors of shape `[]`, or numbers; at least one.
    weights : `Mapping[str, float]`
    own : `bool`, optional (default = `False`)
        Whether the result must not be one of the `losses` itself, which it may be if that is the
        only one and has weight 1.

    # Returns

    `torch.Tensor`
        Of shape `[]`.
    """
    total = None
    for name, loss in losses.items():
        weight = weights[name]
        weighted = loss if weight == 1.0 else weight * loss
        total = weighted if total is None else total + weighted
    if not isinstance(total, torch.Tensor):
        return torch.tensor(total)
    return total.clone() if own else total
