"""Names of outputs and metrics, whose each output is, and separating outputs into instances."""

from typing import Any, Dict, List, Mapping, Optional, Sequence

import torch

from multitask_model.routing.partial import Partial
from multitask_model.routing.rows import AllRows

BACKBONE = "backbone"
LOSS = "loss"
MISSING: Any = object()


def metric_name(component: str, key: str) -> str:
    """`HEAD_KEY`, and `_HEAD_KEY` for a metric `_KEY`, so that hidden metrics stay hidden."""
    return f"_{component}{key}" if key.startswith("_") else f"{component}_{key}"


def add_metrics(metrics: Dict[str, float], head: str, part: Mapping[str, float]) -> None:
    """
    Writes the metrics of one head into `metrics`.

    # Raises

    `ValueError`
        If another head has written a metric of the same name.
    """
    for key, value in part.items():
        name = metric_name(head, key)
        if name in metrics:
            raise ValueError(
                f"Every metric needs a name of its own, but {name!r} is the metric {key!r} of "
                f"{head!r} and also a metric of another head. Rename a head, or one of the two "
                "metrics."
            )
        metrics[name] = value


class OutputNames:
    """
    Names the model's outputs, and remembers which component each came from. The name alone does not
    tell: `a_b_x` may be `b_x` of a head `a` or `x` of a head `a_b`.

    # Parameters

    heads : `Sequence[str]`
    """

    def __init__(self, heads: Sequence[str]) -> None:
        self._longest_first = sorted(heads, key=len, reverse=True)
        self._names: Dict[str, Dict[str, str]] = {name: {} for name in (BACKBONE, *heads)}
        self._owners: Dict[str, str] = {}

    def add_head(self, head: str) -> None:
        """Makes room for one more head."""
        self._longest_first = sorted([*self._longest_first, head], key=len, reverse=True)
        self._names[head] = {}

    def add(self, outputs: Dict[str, Any], component: str, part: Mapping[str, Any]) -> None:
        """
        Writes the outputs of one component into `outputs`: those of a head as `HEAD_KEY`, those of
        the backbone by their own names, except that its own `loss` is `backbone_loss`, because
        `loss` is the joint loss.

        # Raises

        `ValueError`
            If another component's output has, or has had, the same name.
        """
        names = self._names[component]
        for key, value in part.items():
            outputs[names[key] if key in names else self._new_name(component, key)] = value

    def _new_name(self, component: str, key: str) -> str:
        name = f"{component}_{key}" if component != BACKBONE or key == LOSS else key
        owner = self._owners.setdefault(name, component)
        if owner != component:
            raise ValueError(
                f"Every output of the model needs a name of its own, but {name!r} is the name of "
                f"an output of {owner!r} and of {component!r} (which calls it {key!r}). Rename a "
                "head, or one of the two outputs."
            )
        self._names[component][key] = name
        return name

    def find(self, name: str) -> Optional[str]:
        """
        The component that the output `name` came from; `None` for the joint loss. An output that
        no `forward` here has given goes to the longest head name it begins with, or the backbone.
        """
        if name == LOSS:
            return None
        if name not in self._owners:
            heads = (head for head in self._longest_first if name.startswith(f"{head}_"))
            return next(heads, BACKBONE)
        return self._owners[name]

    def split(self, outputs: Mapping[str, Any]) -> Dict[str, Dict[str, Any]]:
        """The outputs of each component that has any, those of heads without the prefix."""
        parts: Dict[str, Dict[str, Any]] = {}
        for name, value in outputs.items():
            owner = self.find(name)
            if owner is not None:
                key = name if owner == BACKBONE else name[len(owner) + 1 :]
                parts.setdefault(owner, {})[key] = value
        return parts


def separate(value: Any, count: int) -> Optional[List[Any]]:
    """
    The items of an output with one row per instance, tensors as numpy arrays; `None` if it is not
    such an output.

    # Parameters

    value : `Any`
    count : `int`
        How many instances the output should be for.
    """
    if isinstance(value, Partial):
        return _separate_partial(value, count)
    if isinstance(value, torch.Tensor):
        value = value.float() if value.dtype == torch.bfloat16 else value
        value = value.detach().cpu().numpy()
    if isinstance(value, (str, bytes, Mapping)) or not hasattr(value, "__len__"):
        return None
    if getattr(value, "ndim", 1) == 0:
        return None
    return list(value) if len(value) == count else None


def _separate_partial(partial: Partial, count: int) -> Optional[List[Any]]:
    """The items of those instances that have one, and `MISSING` for the others."""
    given = separate(partial.value, len(partial.rows))
    if given is None:
        return None
    items = [MISSING] * count
    for row, item in zip(partial.rows, given):
        items[row] = item
    return items


class SeparatedOutputs:
    """
    Gives each instance of a batch its rows of the outputs: those of the backbone, and those of the
    heads that served it.

    # Parameters

    outputs : `Mapping[str, Any]`
        The outputs of the model for the batch.
    names : `OutputNames`
    rows : `Mapping[str, AllRows]`
        The rows of each head that ran.
    batch_size : `int`
    """

    def __init__(
        self,
        outputs: Mapping[str, Any],
        names: OutputNames,
        rows: Mapping[str, AllRows],
        batch_size: int,
    ) -> None:
        self.instances: List[Dict[str, Any]] = [{} for _ in range(batch_size)]
        self.inseparable: List[str] = []
        """The names of outputs that do not have one row per instance."""
        for name, value in outputs.items():
            head_rows = rows.get(names.find(name) or BACKBONE)
            indices = range(batch_size) if head_rows is None else head_rows.indices
            if batch_size == 1 and isinstance(value, torch.Tensor) and value.dim() == 0:
                value = value.unsqueeze(
                    0
                )  # as in AllenNLP, the loss of a single instance is its own
            items = separate(value, len(indices))
            if items is None:
                self.inseparable.append(name)
                continue
            for row, item in zip(indices, items):
                if item is not MISSING:
                    self.instances[row][name] = item
