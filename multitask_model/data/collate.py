"""Batches of instances with unlike fields."""

from collections import defaultdict
from typing import Any, Dict, List, Sequence, Tuple

from allennlp.data import Batch, Instance

from multitask_model.routing.partial import Partial
from multitask_model.routing.rows import group_rows

Lengths = Dict[str, Dict[str, int]]


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
    lengths = _lengths_of_sequence_labels(instances)
    for rows in sorted(groups, key=len, reverse=True):
        tensors = _batch(instances, rows, [names[i] for i in groups[rows]], lengths)
        for name, value in tensors.items():
            batch[name] = value if len(rows) == len(instances) else Partial(value, rows)
    return batch


def _batch(
    instances: Sequence[Instance], rows: Tuple[int, ...], names: List[str], lengths: Lengths
) -> Dict[str, Any]:
    chosen = [Instance({name: instances[row].fields[name] for name in names}) for row in rows]
    return Batch(chosen).as_tensor_dict(lengths)


def _lengths_of_sequence_labels(instances: Sequence[Instance]) -> Lengths:
    """
    What labels of a sequence are padded to: the longest such sequence of the whole batch, because
    that is how long the encoded text is, whichever of the rows have labels.
    """
    sequence_of: Dict[str, str] = {}
    for instance in instances:
        names = {id(field): name for name, field in instance.fields.items()}
        for name, field in instance.fields.items():
            sequence = names.get(id(getattr(field, "sequence_field", None)))
            if sequence is not None:
                sequence_of[name] = sequence
    lengths: Lengths = defaultdict(dict)
    for name, sequence in sequence_of.items():
        fields: List[Any] = [i.fields[sequence] for i in instances if sequence in i.fields]
        lengths[name] = {"num_tokens": max(field.sequence_length() for field in fields)}
    return lengths
