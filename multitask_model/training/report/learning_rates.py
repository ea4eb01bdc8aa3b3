"""The learning rate of each parameter group of an optimizer."""

from typing import Dict, List

import torch

from multitask_model.model import MultiTaskModel
from multitask_model.routing.output_names import BACKBONE

MAX_HEADS = 2
"""The number of heads up to which the name of a group has their names."""


class ParameterGroups:
    """
    Names the parameter groups of an optimizer by the components whose parameters they have.

        >>> from allennlp.data import Vocabulary
        >>> from multitask_model import RegressionHead
        >>> from allennlp.modules import Backbone
        >>> from allennlp.modules.seq2vec_encoders import BagOfEmbeddingsEncoder
        >>> head = RegressionHead(Vocabulary(), BagOfEmbeddingsEncoder(2))
        >>> model = MultiTaskModel(Vocabulary(), Backbone(), {"stars": head})
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        >>> ParameterGroups(model, optimizer).learning_rates()
        {'stars': 0.5}

    # Parameters

    model : `MultiTaskModel`
    optimizer : `torch.optim.Optimizer`
    """

    def __init__(self, model: MultiTaskModel, optimizer: torch.optim.Optimizer) -> None:
        self._optimizer = optimizer
        owners = {id(parameter): BACKBONE for parameter in model.backbone.parameters()}
        for head in model.heads:
            owners.update((id(p), head) for p in model.head(head).parameters())
        owners.update((id(p), "loss weighting") for p in model.loss_weighting.parameters())
        names = [
            _name(list(dict.fromkeys(owners.get(id(p), "other") for p in group["params"])))
            for group in optimizer.param_groups
        ]
        self._names = [
            f"{name} ({names[:i].count(name) + 1})" if names.count(name) > 1 else name
            for i, name in enumerate(names)
        ]
        self._has_parameters = [bool(group["params"]) for group in optimizer.param_groups]

    def learning_rates(self) -> Dict[str, float]:
        """Returns the current learning rate of each group that has parameters."""
        groups = zip(self._names, self._has_parameters, self._optimizer.param_groups)
        return {name: float(group["lr"]) for name, used, group in groups if used and "lr" in group}


def _name(components: List[str]) -> str:
    heads = [name for name in components if name not in (BACKBONE, "loss weighting", "other")]
    others = [name for name in components if name not in heads]
    if len(heads) > MAX_HEADS:
        heads = [f"{len(heads)} heads"]
    return ", ".join([*others[:1], *heads, *others[1:]])
