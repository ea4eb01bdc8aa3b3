"""Checks the names in the trainer's `validation_metric` before the first epoch."""

import contextlib
import copy
import logging
import random
from typing import Iterator, List, Mapping, Optional, Sequence, Set

import numpy
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import is_distributed
from allennlp.data import DataLoader, Instance

from multitask_model.data.collate import collate
from multitask_model.data.data_loaders.multitask_data_loader import MultiTaskDataLoader
from multitask_model.data.data_loaders.task_dataset import TaskDataset
from multitask_model.errors import format_names, suggest
from multitask_model.model import MultiTaskModel
from multitask_model.routing.fit_checks import find_namespace, labels_in
from multitask_model.routing.output_names import LOSS

logger = logging.getLogger(__name__)

MAX_EXAMPLES = 100
"""The largest number of instances of each dataset that the names of metrics are found with."""

_BATCH_SIZE = 10


def check_validation_metric(
    names: Sequence[str], model: MultiTaskModel, loader: DataLoader
) -> None:
    """
    Finds the metrics that there will be by predicting the first instances of each validation
    dataset with a copy of the model that shares its parameters. Nothing else is affected, random
    numbers included.

    A metric that only other instances would have, such as that of a rare label, is accepted. In
    distributed training, or with a loader of another type, only the heads in the names are checked.

    # Parameters

    names : `Sequence[str]`
        The names in `validation_metric`, without signs.
    model : `MultiTaskModel`
    loader : `DataLoader`
        The loader of the validation data.

    # Raises

    `ConfigurationError`
        If the model will not have one of the metrics.
    """
    known = {LOSS}
    if model.get_regularization_penalty() is not None:
        known.add("reg_loss")
    if known.issuperset(names):
        return
    datasets = loader.datasets if isinstance(loader, MultiTaskDataLoader) else {}
    is_complete = bool(datasets) and not is_distributed()
    clone: Optional[MultiTaskModel] = None
    for examples in (_one_of_each_kind, _first_instances) if is_complete else ():
        clone = _predict(model, [examples(dataset) for dataset in datasets.values()])
        known |= set() if clone is None else set(clone.get_metrics())
        if known.issuperset(names):
            return
        is_complete = clone is not None and all(map(_is_small, datasets.values()))
    tasks = [task for task in model.tasks.names if task in datasets or not datasets]
    for name in names:
        if name in known or (not is_complete and _may_exist(name, known, model, tasks)):
            continue
        reason = "" if clone is None else _reason(name, known, clone, datasets)
        advice = "Correct the name, or add validation data with labels for its head."
        raise ConfigurationError(
            "validation_metric must name metrics that the model has in validation, but got "
            f"{name!r}.{'' if reason else suggest(name, known)} The metrics are "
            f"{format_names(sorted(known))}. {reason or advice}"
        )


def _reason(
    name: str, known: Set[str], clone: MultiTaskModel, datasets: Mapping[str, TaskDataset]
) -> str:
    """What the head of a metric ran without, if it has no metrics."""
    for head in filter(lambda head: name.startswith(f"{head}_"), clone.heads):
        has_metrics = any(other.startswith(f"{head}_") for other in known)
        for task in filter(datasets.__contains__, clone.tasks.tasks_of(head)):
            batch = collate(_first_instances(datasets[task])[:1])
            if not has_metrics and head in clone.tasks.rows(batch):
                return clone.explain_missing_loss(batch, head)
    return ""


def _first_instances(dataset: TaskDataset) -> List[Instance]:
    instances = dataset.instances
    if instances is None:
        instances = [] if dataset.first is None else [dataset.first]
    return instances[:MAX_EXAMPLES]


def _one_of_each_kind(dataset: TaskDataset) -> List[Instance]:
    kinds = {frozenset(instance.fields): instance for instance in _first_instances(dataset)}
    return list(kinds.values())


def _is_small(dataset: TaskDataset) -> bool:
    return dataset.instances is not None and len(dataset.instances) <= MAX_EXAMPLES


def _predict(model: MultiTaskModel, examples: List[List[Instance]]) -> Optional[MultiTaskModel]:
    """A copy of the model that has predicted the examples; `None` if that fails."""
    shared: List[object] = [*model.parameters(), model.vocab]
    try:
        with _unchanged_random_numbers():
            clone = copy.deepcopy(model, {id(value): value for value in shared}).eval()
            clone.get_metrics(reset=True)
            for instances in examples:
                for start in range(0, len(instances), _BATCH_SIZE):
                    clone.forward_on_instances(instances[start : start + _BATCH_SIZE])
            return clone
    except Exception:
        # Validation itself will raise the error, where it can be understood.
        logger.debug("The metrics of the model are not known before training.", exc_info=True)
        return None


def _may_exist(name: str, known: Set[str], model: MultiTaskModel, tasks: Sequence[str]) -> bool:
    """Whether there may be a metric of this name that the examples did not have."""
    for head in {head for task in tasks for head in model.tasks.heads_of(task)}:
        prefixes = (f"{head}_", *(f"{task}_{head}_" for task in tasks))
        has_metrics = any(other.startswith(f"{head}_") for other in known)
        if name.startswith(prefixes) and (not has_metrics or _ends_in_label(name, model, head)):
            return True
    return False


def _ends_in_label(name: str, model: MultiTaskModel, head: str) -> bool:
    namespace = find_namespace(model.head(head))
    labels = [] if namespace is None else labels_in(model.vocab, namespace)
    # The metrics of spans have the type of the span, which is part of the label.
    return any(name.endswith(label.split("-", 1)[-1]) for label in labels)


@contextlib.contextmanager
def _unchanged_random_numbers() -> Iterator[None]:
    python, of_numpy = random.getstate(), numpy.random.get_state()
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    try:
        with torch.random.fork_rng(devices=devices):
            yield
    finally:
        random.setstate(python)
        numpy.random.set_state(of_numpy)
