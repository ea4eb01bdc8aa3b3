"""Batches of instances with different fields."""

from typing import Any, Dict, List, Sequence, cast

from allennlp.data import Batch, Instance
from allennlp.data.fields import SequenceField
from torch import Tensor

from multitask_model.data.batched_fields import batch_fields
from multitask_model.data.pass_fields import sequence_candidates
from multitask_model.routing.partial import Partial
from multitask_model.routing.rows import group_rows

PaddingLengths = Dict[str, Dict[str, int]]


def collate(instances: Sequence[Instance]) -> Dict[str, Any]:
    """
    Makes a batch of instances, which may have different fields. A field of all instances is batched
    by AllenNLP's `Batch`. A field of only some instances becomes a `Partial`: the value that
    `Batch` makes of those instances, and their rows. `MultiTaskModel` accepts such a batch.

    # Parameters

    instances : `Sequence[Instance]`
        Indexed instances. They are not modified.

    # Returns

    `Dict[str, ...]`
        The fields of all instances come first, because AllenNLP takes the batch size from the first
        field.

    # Raises

    `ConfigurationError`
        If fields of the same name have different types.

    # Examples

    >>> from allennlp.data.fields import LabelField, MetadataField
    >>> labeled = Instance({"id": MetadataField("a"), "label": LabelField(2, skip_indexing=True)})
    >>> unlabeled = Instance({"id": MetadataField("b")})
    >>> collate([labeled, unlabeled])
    {'id': ['a', 'b'], 'label': Partial(value=tensor([2]), rows=(0,))}
    """
    if any(type(instance) is not Instance for instance in instances):
        return dict(Batch(instances).as_tensor_dict())
    fields = instances[0].fields
    if all(instance.fields.keys() == fields.keys() for instance in instances):
        return _batch_rows(instances, range(len(instances)), list(fields), {})
    rows_of: Dict[str, List[int]] = {}
    for row, instance in enumerate(instances):
        for name in instance.fields:
            rows_of.setdefault(name, []).append(row)
    names = list(rows_of)
    groups = group_rows([tuple(rows_of[name]) for name in names])
    lengths = _lengths_of_sequence_labels(instances)
    batch: Dict[str, Any] = {}
    for rows in sorted(groups, key=len, reverse=True):
        tensors = _batch_rows(instances, rows, [names[i] for i in groups[rows]], lengths)
        is_partial = len(rows) < len(instances)
        batch.update({n: Partial(v, rows) for n, v in tensors.items()} if is_partial else tensors)
    return batch


def _batch_rows(
    instances: Sequence[Instance], rows: Sequence[int], names: List[str], lengths: PaddingLengths
) -> Dict[str, Any]:
    batch = {}
    for name in names:
        fields = [instances[row].fields[name] for row in rows]
        of_field = lengths.get(name, {})
        batch[name] = batch_fields(fields, of_field.get("num_tokens"))
        if batch[name] is None:
            as_batch = Batch([Instance({name: field}) for field in fields])
            batch[name] = as_batch.as_tensor_dict({name: of_field})[name]
    return batch


def _lengths_of_sequence_labels(instances: Sequence[Instance]) -> PaddingLengths:
    """
    Returns the lengths to pad the labels of sequences to. Each is the length of the longest
    sequence in the batch, with or without labels, because the encoded text has that length.
    """
    candidates: Dict[str, List[str]] = {}
    for instance in instances:
        names = {id(field): name for name, field in instance.fields.items()}
        for name, field in instance.fields.items():
            sequence = getattr(field, "sequence_field", None)
            if sequence is None:
                continue
            labeled = names.get(id(sequence))
            found = sequence_candidates(field, instance.fields) if labeled is None else [labeled]
            candidates[name] = _narrow(candidates.get(name, []), found)
    lengths: PaddingLengths = {}
    for name, sequences in candidates.items():
        if sequences:
            fields = [i.fields[sequences[0]] for i in instances if sequences[0] in i.fields]
            longest = max(cast("SequenceField[Tensor]", f).sequence_length() for f in fields)
            lengths[name] = {"num_tokens": longest}
    return lengths


def _narrow(known: List[str], found: List[str]) -> List[str]:
    return [name for name in found if name in known] or found or known
