"""Finds datasets that write different label sets to one namespace by accident."""

import logging
from typing import Dict, Iterable, List, Mapping, Set

from allennlp.data import DataLoader, Instance

from multitask_model.data.data_loaders.multitask_data_loader import MultiTaskDataLoader
from multitask_model.data.label_fields import labels_of
from multitask_model.errors import format_names
from multitask_model.model import MultiTaskModel
from multitask_model.routing.fit_checks import find_namespace

logger = logging.getLogger(__name__)

LabelSets = Dict[str, Dict[str, Set[str]]]
"""The labels by namespace and task."""


def warn_of_shared_namespaces(model: MultiTaskModel, loader: DataLoader) -> None:
    """
    Logs a warning for each namespace in which several tasks have different labels, and no head in
    common that predicts them. The heads of one task then also predict the labels of the others.

    # Parameters

    model : `MultiTaskModel`
    loader : `DataLoader`
        The loader of the training data. Datasets that are read lazily are left out.
    """
    if not isinstance(loader, MultiTaskDataLoader) or len(loader.datasets) < 2:
        return
    instances = {t: d.instances for t, d in loader.datasets.items() if d.instances is not None}
    for namespace, by_task in _label_sets(instances).items():
        tasks = [task for task in by_task if _is_shared(model, namespace, by_task, task)]
        if tasks:
            listed = "; ".join(f"{t!r}: {format_names(sorted(by_task[t]))}" for t in tasks)
            logger.warning(
                "Tasks with different heads should write their labels to different namespaces, but "
                "got several sets of labels in %r, so that each head also predicts the labels of "
                "the other tasks: %s. Set per_task_label_namespaces to true in the dataset reader, "
                "and label_namespace of each head to TASK_%s; or give the readers different "
                "namespaces.",
                namespace,
                listed,
                namespace,
            )


def _label_sets(instances: Mapping[str, Iterable[Instance]]) -> LabelSets:
    labels: LabelSets = {}
    for task, of_task in instances.items():
        for instance in of_task:
            for field in instance.fields.values():
                for namespace, names in labels_of(field):
                    labels.setdefault(namespace, {}).setdefault(task, set()).update(names)
    return labels


def _is_shared(
    model: MultiTaskModel, namespace: str, by_task: Mapping[str, Set[str]], task: str
) -> bool:
    """Whether another task with other heads has different labels in the namespace."""
    heads = _heads(model, namespace, task)
    return any(
        labels != by_task[task] and heads.isdisjoint(_heads(model, namespace, other))
        for other, labels in by_task.items()
    )


def _heads(model: MultiTaskModel, namespace: str, task: str) -> Set[str]:
    """The heads of a task that predict labels of the namespace, or do not say which."""
    if task not in model.tasks.names:
        return set()
    served: List[str] = model.tasks.heads_of(task)
    return {head for head in served if find_namespace(model.head(head)) in (None, namespace)}
