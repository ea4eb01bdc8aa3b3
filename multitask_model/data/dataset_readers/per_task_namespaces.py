"""Vocabulary namespaces of a task's own for its labels."""

import copy
from typing import Any

from allennlp.data import Instance
from allennlp.data.fields import ListField


def with_per_task_namespaces(instance: Instance, task: str) -> Instance:
    """
    A copy of an instance whose labels are in namespaces of the task's own: `labels` becomes
    `TASK_labels`, and any other namespace gets the name of the task before it in the same way.
    """
    changed = copy.copy(instance)
    changed.fields = {name: _renamed(field, task) for name, field in instance.fields.items()}
    return changed


def _renamed(field: Any, task: str) -> Any:
    """The field itself if nothing in it is renamed, because other fields may refer to it."""
    renamed = copy.copy(field)
    if isinstance(field, ListField):
        items = [_renamed(item, task) for item in field.field_list]
        if all(item is old for item, old in zip(items, field.field_list)):
            return field
        renamed.field_list = items
    elif isinstance(getattr(field, "_label_namespace", None), str):
        # AllenNLP has no common class for fields of labels, but all of them call it so.
        renamed._label_namespace = f"{task}_{field._label_namespace}"
    else:
        return field
    return renamed
