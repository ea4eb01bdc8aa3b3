"""The outputs of the backbone as the tensors that losses are differentiated with respect to."""

import copy
import dataclasses
from collections.abc import MutableMapping
from typing import Any, Callable, Dict, List, Mapping, Optional, Set, Tuple

import torch
from torch.utils.hooks import RemovableHandle

from multitask_model.errors import format_names
from multitask_model.model import MultiTaskModel

Change = Callable[[torch.Tensor], torch.Tensor]


class Features:
    """
    Gives each output of a backbone that requires a gradient its own node in the graph, which no
    other output is computed from. So the gradient of a loss at one output never includes a path
    through another output. The values and the plain backward pass are unaffected.

    >>> import torch
    >>> features = Features()
    >>> backbone = torch.nn.Linear(2, 2)
    >>> _ = backbone.register_forward_hook(features.hook)
    >>> encoded = backbone(torch.ones(1, 2))
    >>> [tensor is encoded for tensor in features.take()]
    [True]
    """

    def __init__(self) -> None:
        self._handle: Optional[RemovableHandle] = None
        self._found: List[torch.Tensor] = []
        self._checked: Set[Tuple[str, ...]] = set()

    def attach(self, model: MultiTaskModel) -> None:
        """Registers `hook` on the backbone."""
        self._handle = model.backbone.register_forward_hook(self.hook)

    def detach(self) -> None:
        """Removes the hook, if there is one."""
        if self._handle is not None:
            self._handle.remove()

    def hook(self, module: torch.nn.Module, inputs: object, outputs: object) -> object:
        """Replaces the outputs of a forward pass in training."""
        self._found = []
        return replace_tensors(outputs, self._separate) if module.training else outputs

    def _separate(self, tensor: torch.Tensor) -> torch.Tensor:
        if not tensor.requires_grad:
            return tensor
        self._found.append(tensor.view_as(tensor))
        return self._found[-1]

    def take(self) -> List[torch.Tensor]:
        """Returns the outputs of the last forward pass that have a gradient, and forgets them."""
        found, self._found = self._found, []
        return found

    def check(
        self,
        model: MultiTaskModel,
        losses: Mapping[str, torch.Tensor],
        features: List[torch.Tensor],
    ) -> None:
        """
        Checks, once for each set of heads, that the losses depend on the parameters of the backbone
        by way of its outputs only.

        # Raises

        `ValueError`
            If a head uses a parameter of the backbone directly.
        """
        if tuple(losses) in self._checked:
            return
        self._checked.add(tuple(losses))
        names: Dict[torch.Tensor, str] = {p: name for name, p in model.backbone.named_parameters()}
        for head, loss in losses.items():
            found = [names[leaf] for leaf in _leaves(loss, features) if leaf in names]
            if found:
                raise ValueError(
                    "With features, heads must use the parameters of the backbone by way of its "
                    f"outputs only, but got {format_names(sorted(found))} in the loss of {head!r}. "
                    "Set features of the callback 'gradient_aggregation' to false."
                )


def _leaves(loss: torch.Tensor, features: List[torch.Tensor]) -> List[torch.Tensor]:
    """Returns the leaves of the graph of a loss, without what is before the features."""
    seen = {tensor.grad_fn for tensor in features}
    leaves, nodes = [], [loss.grad_fn]
    while nodes:
        node: Any = nodes.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            leaves.append(node.variable)
        nodes.extend(following for following, _ in node.next_functions)
    return leaves


def replace_tensors(value: object, change: Change) -> object:
    """
    Replaces all tensors in a value, also those in mappings, lists, tuples and dataclasses. What has
    no tensor that changes is returned as it is.
    """
    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, Mapping):
        return _replace_items(
            value, {k: replace_tensors(item, change) for k, item in value.items()}
        )
    if isinstance(value, (list, tuple)):
        items = [replace_tensors(item, change) for item in value]
        if all(new is old for new, old in zip(items, value)):
            return value
        rebuild: Any = type(value)
        return rebuild(*items) if hasattr(value, "_fields") else rebuild(items)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        copied = copy.copy(value)
        for field in dataclasses.fields(value):
            # A frozen dataclass refuses `setattr`.
            new = replace_tensors(getattr(value, field.name), change)
            object.__setattr__(copied, field.name, new)
        return copied
    return value


def _replace_items(mapping: Mapping[Any, object], items: Dict[Any, object]) -> object:
    if all(items[key] is value for key, value in mapping.items()):
        return mapping
    if not isinstance(mapping, MutableMapping):
        return items
    copied: Any = copy.copy(mapping)  # keeps its class
    for key, value in items.items():
        copied[key] = value
    return copied
