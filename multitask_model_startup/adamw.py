"""The optimizer `transformers.AdamW`, which transformers 4.50 removed."""

import math
from typing import Any, Callable, Dict, Iterable, Optional, Tuple

import torch


class AdamW(torch.optim.Optimizer):
    """
    Adam with decoupled weight decay ([Loshchilov and Hutter, 2019](https://arxiv.org/abs/1711.05101)),
    with the parameters, the state and the numbers of `transformers.AdamW`. `torch.optim.AdamW`
    differs in three points: `eps` is added after the bias correction, the weights are decayed
    before the step instead of after it, and the bias correction cannot be switched off.

    # Parameters

    params : `Iterable`
        Parameters, or dictionaries of parameter groups.
    lr : `float`, optional (default = `1e-3`)
    betas : `Tuple[float, float]`, optional (default = `(0.9, 0.999)`)
        The decay rates of the averages of the gradient and its square.
    eps : `float`, optional (default = `1e-6`)
    weight_decay : `float`, optional (default = `0.0`)
    correct_bias : `bool`, optional (default = `True`)
        Whether the averages are corrected for their start at 0.
    no_deprecation_warning : `bool`, optional (default = `False`)
        Accepted and ignored. There is no warning.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: Tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        correct_bias: bool = True,
        no_deprecation_warning: bool = False,
    ) -> None:
        _check_not_negative("lr", lr)
        _check_not_negative("eps", eps)
        for beta in betas:
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"betas must be at least 0 and less than 1, but got {betas}.")
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "correct_bias": correct_bias,
        }
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: Optional[Callable[[], Any]] = None) -> Any:
        """Updates all parameters that have a gradient. Returns the result of `closure`."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    _update(parameter, parameter.grad, self.state[parameter], group)
        return loss


def _check_not_negative(name: str, value: float) -> None:
    if not value >= 0.0:
        raise ValueError(f"{name} must be at least 0, but got {value}.")


def _update(
    parameter: torch.Tensor, grad: torch.Tensor, state: Dict[str, Any], group: Dict[str, Any]
) -> None:
    """One step for one parameter. Changes the parameter and its state."""
    if grad.is_sparse:
        raise RuntimeError(
            "AdamW requires dense gradients, but got a sparse gradient. Use `dense_sparse_adam` or "
            "an embedding with `sparse: false`."
        )
    if not state:
        state.update(
            step=0, exp_avg=torch.zeros_like(parameter), exp_avg_sq=torch.zeros_like(parameter)
        )
    state["step"] += 1
    beta1, beta2 = group["betas"]
    mean = state["exp_avg"].mul_(beta1).add_(grad, alpha=1.0 - beta1)
    square = state["exp_avg_sq"].mul_(beta2).addcmul_(grad, grad, value=1.0 - beta2)
    lr = group["lr"]
    size = lr
    if group["correct_bias"]:
        size = lr * math.sqrt(1.0 - beta2 ** state["step"]) / (1.0 - beta1 ** state["step"])
    parameter.addcdiv_(mean, square.sqrt().add_(group["eps"]), value=-size)
    if group["weight_decay"] > 0.0:
        parameter.sub_(parameter, alpha=lr * group["weight_decay"])
