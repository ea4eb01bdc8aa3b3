"""Instances of a batch: which can be encoded together, and the outputs of each."""

from typing import Dict, FrozenSet, List, Mapping, Optional, Tuple

import torch

from multitask_model.compat.allennlp_internals import token_indexers
from multitask_model.routing.output_names import BACKBONE, LOSS, OutputNames
from multitask_model.routing.partial import Partial, Whole
from multitask_model.routing.rows import AllRows

MISSING = object()
"""Stands for the output of an instance that has none."""

FieldKind = Tuple[str, type, FrozenSet[Tuple[str, type]]]


def input_kind(fields: Mapping[str, object]) -> FrozenSet[FieldKind]:
    """Returns the same value for fields that a backbone can take in one batch."""
    return frozenset((name, type(field), _indexers(field)) for name, field in fields.items())


def _indexers(field: object) -> FrozenSet[Tuple[str, type]]:
    indexers = token_indexers(field) or {}
    return frozenset((name, type(indexer)) for name, indexer in indexers.items())


def separate(value: object, count: int) -> Optional[List[object]]:
    """
    Splits an output with one row per instance into its rows, tensors as numpy arrays.

    # Parameters

    value : `object`
    count : `int`
        The number of instances.

    # Returns

    `Optional[List[object]]`
        `MISSING` for an instance without this output. `None` if the output does not have one row
        per instance.
    """
    if isinstance(value, Partial):
        return _separate_partial(value, count)
    if isinstance(value, Whole):
        return None
    if isinstance(value, torch.Tensor):
        value = value.float() if value.dtype == torch.bfloat16 else value
        value = value.detach().cpu().numpy()
    if isinstance(value, (str, bytes, Mapping)) or not hasattr(value, "__len__"):
        return None
    if getattr(value, "ndim", 1) == 0:
        return None
    return list(value) if len(value) == count else None  # type: ignore[call-overload]


def _separate_partial(partial: Partial, count: int) -> Optional[List[object]]:
    given = separate(partial.value, len(partial.rows))
    if given is None:
        return None
    items: List[object] = [MISSING] * count
    for row, item in zip(partial.rows, given):
        items[row] = item
    return items


class SeparatedOutputs:
    """
    Separates the outputs of a batch into instances. Each gets the outputs of the backbone and of
    the heads that served it.

        >>> from multitask_model.routing.rows import select_rows
        >>> names = OutputNames(["stars", "topic"])
        >>> stars, topic = {"value": [5, 1]}, {"label": ["film"]}
        >>> outputs = names.merge({"stars": (stars, 2), "topic": (topic, 1)})
        >>> rows = {"stars": AllRows(2), "topic": select_rows([1], 2)}
        >>> SeparatedOutputs(outputs, names, rows, batch_size=2).instances
        [{'stars_value': 5}, {'stars_value': 1, 'topic_label': 'film'}]

    # Parameters

    outputs : `Mapping[str, object]`
        The outputs of the model for the batch.
    names : `OutputNames`
    rows : `Mapping[str, AllRows]`
        The rows of each head that ran.
    batch_size : `int`
    """

    def __init__(
        self,
        outputs: Mapping[str, object],
        names: OutputNames,
        rows: Mapping[str, AllRows],
        batch_size: int,
    ) -> None:
        self.instances: List[Dict[str, object]] = [{} for _ in range(batch_size)]
        self.inseparable: List[str] = []
        """The outputs that do not have one row per instance, without losses, which never do."""
        for name, value in outputs.items():
            component = names.find(name) or BACKBONE
            head_rows = rows.get(component)
            indices = range(batch_size) if head_rows is None else head_rows.indices
            if batch_size == 1 and isinstance(value, torch.Tensor) and value.dim() == 0:
                value = value.unsqueeze(0)  # as in AllenNLP, a single instance has a loss
            items = separate(value, len(indices))
            if items is None:
                if name not in (LOSS, f"{component}_{LOSS}"):
                    self.inseparable.append(name)
                continue
            for row, item in zip(indices, items):
                if item is not MISSING:
                    self.instances[row][name] = item
