"""Batches of instances with unlike fields."""

from typing import Any, Dict, List, Sequence, Tuple

from allennlp.data import Batch, Instance

from multitask_model.batching import group_rows
from multitask_model.partial import Partial


def collate(instances: Sequence[Instance]) -> Dict[str, Any]:
    """
    Makes a batch of instances, which need not have the same fields. A field that every instance has
    becomes what AllenNLP's `Batch` makes of it; one that only some have becomes the `Partial` of
    what `Batch` makes of those. `MultiTaskModel` knows what to do with that.

    # Parameters

    instances : `Sequence[Instance]`
        Indexed. They are not changed.

    # Returns

    `Dict[str, Any]`
        The fields of all instances first, so that whoever asks the first one for the size of the
        batch gets the right answer.

    # Raises

    `ConfigurationError`
        If fields of the same name have unlike types.
    """
    rows_of: Dict[str, List[int]] = {}
    for row, instance in enumerate(instances):
        for name in instance.fields:
            rows_of.setdefault(name, []).append(row)
    names = list(rows_of)
    batch: Dict[str, Any] = {}
    groups = group_rows([tuple(rows_of[name]) for name in names])
    if len(groups) == 1:
        return dict(Batch(instances).as_tensor_dict())
    for rows in sorted(groups, key=len, reverse=True):
        tensors = _batch(instances, rows, [names[i] for i in groups[rows]])
        for name, value in tensors.items():
            batch[name] = value if len(rows) == len(instances) else Partial(value, rows)
    return batch


def _batch(
    instances: Sequence[Instance], rows: Tuple[int, ...], names: List[str]
) -> Dict[str, Any]:
    chosen = [Instance({name: instances[row].fields[name] for name in names}) for row in rows]
    return Batch(chosen).as_tensor_dict()
