"""Numbers that a weighting learns or tracks for each head."""

from typing import Dict, Iterable, Sequence

import torch


class HeadValues(torch.nn.Module):
    """
    A few numbers for each head, all of them learned (parameters) or all of them tracked (buffers).
    They are saved by the name of the head, so that a head can be added, and weights of a model with
    other heads can be loaded.

        >>> import torch
        >>> values = HeadValues({"scale": 1.0}, learned=True)
        >>> values.set_heads(["ner", "pos"])
        >>> values.get("scale", ["pos", "ner"])
        tensor([1., 1.], grad_fn=<StackBackward0>)
        >>> list(values.state_dict())
        ['by_head.ner.scale', 'by_head.pos.scale']

    # Parameters

    initial : `Dict[str, float]`
        The names of the numbers, and their values for a new head.
    learned : `bool`, optional (default = `False`)
    """

    def __init__(self, initial: Dict[str, float], learned: bool = False) -> None:
        super().__init__()
        self._initial, self._learned = initial, learned
        # A ModuleDict, since every name of a head is a valid name in it.
        self.by_head = torch.nn.ModuleDict()

    def set_heads(self, names: Iterable[str]) -> None:
        """Adds the initial numbers of heads that are new."""
        for name in names:
            if name not in self.by_head:
                self.by_head[name] = self._make()

    def _make(self) -> torch.nn.Module:
        module = torch.nn.Module()
        for key, value in self._initial.items():
            if self._learned:
                module.register_parameter(key, torch.nn.Parameter(torch.tensor(value)))
            else:
                module.register_buffer(key, torch.tensor(value))
        return module

    def get(self, key: str, names: Iterable[str]) -> torch.Tensor:
        """Returns one of the numbers of these heads, as a tensor of shape `(H,)`."""
        return torch.stack([getattr(self.by_head[name], key) for name in names])

    def put(self, key: str, names: Sequence[str], values: torch.Tensor) -> None:
        """Sets one of the numbers of these heads, from a tensor of shape `(H,)`."""
        with torch.no_grad():
            for name, value in zip(names, values):
                getattr(self.by_head[name], key).copy_(value)

    def add(self, key: str, names: Sequence[str], values: torch.Tensor) -> None:
        """Adds to one of the numbers of these heads, from a tensor of shape `(H,)`."""
        self.put(key, names, self.get(key, names) + values)
