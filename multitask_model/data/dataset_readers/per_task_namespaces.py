"""Prefixes the vocabulary namespaces of labels with the name of a task."""

import copy
from typing import cast

from allennlp.data import Field, Instance
from allennlp.data.fields import ListField
from allennlp.data.fields.field import DataArray

from multitask_model.compat.allennlp_internals import label_namespace, set_label_namespace


def prefix_label_namespaces(instance: Instance, task: str) -> Instance:
    """
    Returns a copy of an instance whose label fields have the namespaces `TASK_labels`,
    `TASK_upos_tags` and so on in place of `labels` and `upos_tags`. The fields inside a `ListField`
    are included.
    """
    copied = copy.copy(instance)
    copied.fields = {name: _prefix(field, task) for name, field in instance.fields.items()}
    return copied


def _prefix(field: "Field[DataArray]", task: str) -> "Field[DataArray]":
    """Returns the same object if it holds no label, because other fields may refer to it."""
    namespace = label_namespace(field)
    if isinstance(field, ListField):
        items = [_prefix(item, task) for item in field.field_list]
        if all(item is original for item, original in zip(items, field.field_list)):
            return field
        copied = copy.copy(field)
        copied.field_list = items
        return cast("Field[DataArray]", copied)
    if namespace is None:
        return field
    renamed = copy.copy(field)
    set_label_namespace(renamed, f"{task}_{namespace}")
    return renamed
