"""Building loss weightings and losses."""

from math import log
from typing import Any, Dict, List, NamedTuple, Optional

import torch

from multitask_model.weighting import LossWeighting


class Case(NamedTuple):
    """The combined loss of a weighting of these losses, and its gradients."""

    losses: Dict[str, float]
    expected: float
    gradients: Dict[str, float]
    options: Dict[str, Any] = {}
    epochs: List[Dict[str, float]] = []
    """The losses of earlier epochs of one batch each."""
    training: bool = True
    one_head: float = 1.0
    """What the loss of a single head is multiplied by in a new weighting."""
    is_linear: bool = True
    """Whether all losses times a number give the combined loss times this number."""


ABC = {"a": 1.0, "b": 2.0, "c": 4.0}

CASES = {
    # By definition: loss = Σ_h L_h.
    "sum": Case(ABC, 7.0, {"a": 1.0, "b": 1.0, "c": 1.0}),
    # By definition: loss = Σ_h L_h / H.
    "mean": Case(ABC, 7 / 3, {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}),
    # Equation 7 of the paper with σ = 1, where it starts: ½ · Σ_h L_h.
    "uncertainty": Case(ABC, 3.5, {"a": 0.5, "b": 0.5, "c": 0.5}, one_head=0.5),
    # By hand: exp(r_a / 2) = 1 with r_a = 0 / 1, exp(r_b / 2) = 3 with r_b = 2 log 3 / 1, so that
    # the weights are 2 · 1/4 and 2 · 3/4.
    "dynamic_average": Case(
        {"a": 1.0, "b": 2.0},
        3.5,
        {"a": 0.5, "b": 1.5},
        epochs=[{"a": 1.0, "b": 1.0}, {"a": 0.0, "b": 2 * log(3)}],
    ),
    # By definition: in evaluation, the expectation of the weights, 1 / H.
    "random": Case(ABC, 7 / 3, {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}, training=False),
    # By hand: (1 · 2 · 4)^(1/3) = 2, and the derivatives 2 / (3 · L_h).
    "geometric": Case(ABC, 2.0, {"a": 2 / 3, "b": 1 / 3, "c": 1 / 6}),
    # The paper's loss with s = 0, where it starts: Σ_h L_h.
    "imtl_l": Case(ABC, 7.0, {"a": 1.0, "b": 1.0, "c": 1.0}),
    # By hand: z = (1/2, 1/2), c = 1 / (1/2 · (1/1 + 1/4)) = 8/5; c · z · (log 1 + log 4).
    "famo": Case({"a": 1.0, "b": 4.0}, 0.8 * log(4), {"a": 0.8, "b": 0.2}, is_linear=False),
    # By hand: log(exp(2 log 3 / 2) + exp(0)) = log 4, and the weights 3/4 · 1/2 and 1/4 · 1/2.
    "smooth_tchebycheff": Case(
        {"a": 2 * log(3), "b": 0.0},
        log(4),
        {"a": 0.375, "b": 0.125},
        {"mu": 1.0},
        is_linear=False,
    ),
}


def make_new(name: str, *heads: str) -> LossWeighting:
    """Returns a new weighting for these heads, in the mode and with the options of its case."""
    weighting = LossWeighting.by_name(name)(**CASES[name].options)
    weighting.set_heads(heads)
    return weighting.train(CASES[name].training)


def make_weighting(name: str, *heads: str, device: Optional[torch.device] = None) -> LossWeighting:
    """Returns the weighting of a case after its epochs, with its heads or in another order."""
    weighting = make_new(name, *(heads or CASES[name].losses)).to(device or "cpu")
    for losses in CASES[name].epochs:
        weighting({head: torch.tensor(loss, device=device) for head, loss in losses.items()})
        weighting.finish_epoch()
    return weighting


def make_losses(**losses: float) -> Dict[str, torch.Tensor]:
    """Returns losses that require gradients."""
    return {head: torch.tensor(loss, requires_grad=True) for head, loss in losses.items()}


def take_step(module: torch.nn.Module) -> None:
    """A step of gradient descent on the parameters of a module, if it has any."""
    parameters = list(module.parameters())
    if parameters:
        optimizer = torch.optim.SGD(parameters, lr=0.1)
        optimizer.step()
        optimizer.zero_grad()
