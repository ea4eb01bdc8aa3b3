"""The gradient of each head's loss at what the heads share."""

from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

import torch

from multitask_model.model import MultiTaskModel

Gradients = List[Tuple[torch.Tensor, torch.Tensor]]
"""Shared tensors, each with the gradients of all losses, of shape `(H, ...)`."""


class Parameters(NamedTuple):
    """
    The parameters of a model by the components that use them.

    >>> import torch
    >>> parameter = torch.nn.Parameter(torch.zeros(2))
    >>> Parameters(backbone=[parameter], tied=[], own={"ner": []}).own
    {'ner': []}
    """

    backbone: List[torch.nn.Parameter]
    tied: List[torch.nn.Parameter]
    """Those that several heads have, and that the backbone does not have."""
    own: Dict[str, List[torch.nn.Parameter]]
    """Those that only one head has."""


def split_parameters(model: MultiTaskModel) -> Parameters:
    """Splits the parameters of the backbone and of the heads."""
    backbone = list(model.backbone.parameters())
    users: Dict[torch.nn.Parameter, Set[str]] = {}
    for name, head in model.heads.items():
        for parameter in head.parameters():
            users.setdefault(parameter, set()).add(name)
    for parameter in backbone:
        users.pop(parameter, None)
    tied = [parameter for parameter, names in users.items() if len(names) > 1]
    own: Dict[str, List[torch.nn.Parameter]] = {name: [] for name in model.heads}
    for parameter, names in users.items():
        if len(names) == 1:
            own[next(iter(names))].append(parameter)
    return Parameters(backbone, tied, own)


def compute_gradients(
    losses: Mapping[str, torch.Tensor],
    factors: Mapping[str, torch.Tensor],
    shared: Sequence[torch.Tensor],
    own: Mapping[str, Sequence[torch.Tensor]],
) -> Gradients:
    """
    Computes the gradients of `factor · loss` of each head, and adds them to `grad` of the head's
    own parameters. The graph is kept.

    # Parameters

    losses : `Mapping[str, torch.Tensor]`
    factors : `Mapping[str, torch.Tensor]`
        Of the shapes of the losses. A loss without a factor has no gradients.
    shared : `Sequence[torch.Tensor]`
        What the losses are differentiated with respect to.
    own : `Mapping[str, Sequence[torch.Tensor]]`
        The own parameters of each head.

    # Returns

    `List[Tuple[torch.Tensor, torch.Tensor]]`
        Those of `shared` that any loss depends on, each with its gradients, of shape `(H, ...)`.
    """
    rows: List[Sequence[Optional[torch.Tensor]]] = []
    for name, loss in losses.items():
        if name not in factors:
            rows.append((None,) * len(shared))
            continue
        of_head = [parameter for parameter in own[name] if parameter.requires_grad]
        inputs = [*shared, *of_head]
        gradients = torch.autograd.grad(
            loss, inputs, factors[name], retain_graph=True, allow_unused=True
        )
        rows.append(gradients[: len(shared)])
        for parameter, gradient in zip(of_head, gradients[len(shared) :]):
            if gradient is not None:
                parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient
    return [
        (tensor, torch.stack([torch.zeros_like(tensor) if g is None else g for g in of_tensor]))
        for tensor, of_tensor in zip(shared, zip(*rows))
        if any(gradient is not None for gradient in of_tensor)
    ]


def cosines(gradients: Gradients) -> Tuple[torch.Tensor, torch.Tensor]:
    """
    Returns the cosine between the gradients of each pair of losses, of shape `(H, H)`, and the norm
    of each gradient, of shape `(H,)`. The cosine is 0 where a gradient is 0.
    """
    matrix = torch.cat([of_tensor.flatten(1) for _, of_tensor in gradients], dim=1)
    norms = torch.linalg.vector_norm(matrix, dim=1, keepdim=True)
    normalized = matrix / torch.where(norms == 0, torch.ones_like(norms), norms)
    return normalized @ normalized.T, norms.squeeze(1)
