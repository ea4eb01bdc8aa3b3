"""Tensors of the fields of a batch, without a tensor for each instance."""

from typing import Any, Callable, Dict, List, Optional, Sequence

import torch
from allennlp.data import Field, Instance, TextFieldTensors
from allennlp.data.fields import LabelField, MetadataField, SequenceLabelField, TextField
from torch import Tensor

from multitask_model.compat.allennlp_internals import (
    indexed_labels,
    indexed_tokens,
    label_id,
    token_indexers,
)
from multitask_model.data.batched_tokens import batch_tokens, pads_rows
from multitask_model.data.padded_rows import pad_rows

PADDING_LABEL = torch.tensor(0)


def batch_fields(fields: Sequence[Field[Any]], length: Optional[int] = None) -> Optional[object]:
    """
    Returns what AllenNLP's `Batch` makes of the fields of one name, in a fraction of the time.

    # Parameters

    fields : `Sequence[Field]`
        One indexed field of each instance.
    length : `int`, optional (default = that of the longest sequence)
        The length to pad the labels of sequences to.

    # Returns

    `Optional[object]`
        `None` if the fields are not of a class that this function knows, or not indexed. `Batch`
        then makes the tensors, or raises the error.

    # Examples

    >>> batch_fields([LabelField(2, skip_indexing=True), LabelField(0, skip_indexing=True)])
    tensor([2, 0])
    """
    # A subclass may override any method, so it is not looked up by `isinstance`.
    field_type, *others = {type(field) for field in fields}
    make_tensors = None if others else _BY_TYPE.get(field_type)
    try:
        return make_tensors and make_tensors(fields, length)
    except (OverflowError, RuntimeError, TypeError, ValueError):  # `Batch` may raise another error
        return None


def is_batched_fast(instance: Instance) -> bool:
    """Whether `batch_fields` makes the tensors of all fields of an indexed instance."""
    return all(
        type(field) in _BY_TYPE and all(map(pads_rows, (token_indexers(field) or {}).values()))
        for field in instance.fields.values()
    )


def _batch_metadata(fields: "Sequence[MetadataField[Any]]", _: Optional[int]) -> List[object]:
    return [field.metadata for field in fields]


def _batch_labels(fields: Sequence[LabelField], _: Optional[int]) -> Tensor:
    return torch.tensor([label_id(field) for field in fields], dtype=torch.long)


def _batch_sequence_labels(
    fields: Sequence[SequenceLabelField], length: Optional[int]
) -> Optional[Tensor]:
    rows = [labels for labels in map(indexed_labels, fields) if labels is not None]
    if len(rows) < len(fields):
        return None
    if length is None:
        length = max(field.sequence_field.sequence_length() for field in fields)
    return pad_rows(rows, length, PADDING_LABEL)


def _batch_text(fields: Sequence[TextField], _: Optional[int]) -> Optional[TextFieldTensors]:
    indexers = [indexers for indexers in map(token_indexers, fields) if indexers is not None]
    tokens = [of_field for of_field in map(indexed_tokens, fields) if of_field is not None]
    if len(indexers) < len(fields) or len(tokens) < len(fields):
        return None
    names = indexers[0].keys()
    keys = [*map(dict.keys, indexers), *map(dict.keys, tokens)]
    if any(of_field != names for of_field in keys):
        return None
    return {
        name: batch_tokens([i[name] for i in indexers], [of_field[name] for of_field in tokens])
        for name in names
    }


_BY_TYPE: Dict[type, Callable[[Any, Optional[int]], Optional[object]]] = {
    MetadataField: _batch_metadata,
    LabelField: _batch_labels,
    SequenceLabelField: _batch_sequence_labels,
    TextField: _batch_text,
}
