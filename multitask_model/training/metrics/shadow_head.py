"""A copy of a head that has the same weights and separate metrics."""

import copy
from typing import Dict, Optional

import torch

from multitask_model.compat.torch_internals import children_of, mirror, set_children


class ShadowHead:
    """
    Keeps a copy of a head that follows every change of the head's modules, parameters, buffers and
    forward hooks. The copy is in evaluation mode. Its other attributes, such as metrics, are its
    own, so that calling it does not change the head.

        >>> head = torch.nn.Sequential(torch.nn.Linear(2, 2))
        >>> shadow = ShadowHead(head)
        >>> head[0] = torch.nn.Identity()
        >>> shadow.follow(head)(torch.ones(1, 2))
        tensor([[1., 1.]])

    # Parameters

    head : `torch.nn.Module`
    """

    def __init__(self, head: torch.nn.Module) -> None:
        self._sources: Dict[str, torch.nn.Module] = {}
        self.module = self._follow("", head, None)

    def follow(self, head: torch.nn.Module) -> torch.nn.Module:
        """Returns the copy, after it has been updated to the current state of the head."""
        self.module = self._follow("", head, self.module)
        return self.module

    def _follow(
        self, path: str, module: torch.nn.Module, own: Optional[torch.nn.Module]
    ) -> torch.nn.Module:
        if isinstance(module, torch.jit.ScriptModule):
            return copy.deepcopy(module).eval()  # a compiled module cannot share its parameters
        if own is None or self._sources.get(path) is not module:
            own = self._copy(path, module)
        mirror(own, module)
        own.training = False  # a head may override `train`, and change the shared parameters in it
        copies, children = children_of(own), children_of(module)
        for name, child in children.items():
            if child is not None:
                children[name] = self._follow(f"{path}.{name}", child, copies.get(name))
        set_children(own, children)
        return own

    def _copy(self, path: str, module: torch.nn.Module) -> torch.nn.Module:
        self._add_sources(path, module)
        return copy.deepcopy(module, _shared_by_copies(module))

    def _add_sources(self, path: str, module: torch.nn.Module) -> None:
        self._sources[path] = module
        for name, child in children_of(module).items():
            if child is not None:
                self._add_sources(f"{path}.{name}", child)


def _shared_by_copies(head: torch.nn.Module) -> Dict[int, object]:
    """Returns the memo of a deep copy: what replaces each object, by its id."""
    memo: Dict[int, object] = {}
    for module in head.modules():
        for value in vars(module).values():
            # Such as the weight that weight normalization computes, which cannot be deep-copied.
            if isinstance(value, torch.Tensor) and not value.is_leaf:
                memo[id(value)] = value.detach().clone()
    shared = [*head.parameters(), *head.buffers(), getattr(head, "vocab", None)]
    memo.update((id(value), value) for value in shared)
    return memo
