"""Finds labels that a head would take for others: their indices are those of another namespace."""

import logging
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from allennlp.common.checks import ConfigurationError
from allennlp.data import DataLoader, Field, Instance, Vocabulary
from allennlp.data.fields import MetadataField
from allennlp.models.heads import ClassifierHead, Head

from multitask_model.compat.allennlp_internals import label_namespace
from multitask_model.data.data_loaders.multitask_data_loader import MultiTaskDataLoader
from multitask_model.data.label_fields import labels_of
from multitask_model.errors import format_names
from multitask_model.heads.regression import RegressionHead
from multitask_model.model import MultiTaskModel
from multitask_model.routing.fit_checks import find_namespaces, labels_in

logger = logging.getLogger(__name__)

Labels = Dict[str, Dict[str, List[str]]]
"""By the name of a field the namespaces of its labels, with some labels of each."""


class LabelError(NamedTuple):
    """
    A label field whose labels are not those of a head that takes it.

        >>> LabelError("ner", "The argument 'tags' of the head 'ner' must ...", True).head
        'ner'
    """

    head: str
    message: str
    is_certain: bool
    """Whether the head says that it learns the field. It could also be an input of the head."""


def check_labels(model: MultiTaskModel, loader: DataLoader) -> None:
    """
    Checks the label fields of the training data against the heads that take them, before the first
    epoch. Of a dataset that is read lazily, only the first instance is checked.

    # Parameters

    model : `MultiTaskModel`
    loader : `DataLoader`
        The loader of the training data. Loaders of other types are not checked.

    # Raises

    `ConfigurationError`
        If a head would learn other labels than those that the field has. For a head that does not
        say which argument it learns, a warning is logged instead.
    """
    for task, dataset in loader.datasets.items() if isinstance(loader, MultiTaskDataLoader) else ():
        first = [] if dataset.first is None else [dataset.first]
        for error in find_label_errors(model, task, dataset.instances or first):
            if error.is_certain:
                raise ConfigurationError(error.message)
            logger.warning("%s", error.message)


def find_label_errors(
    model: MultiTaskModel, task: str, instances: Iterable[Instance]
) -> List[LabelError]:
    """
    # Parameters

    model : `MultiTaskModel`
    task : `str`
        A task of the model.
    instances : `Iterable[Instance]`
        Instances of the task.

    # Returns

    `List[LabelError]`
        At most one for each head and field.
    """
    errors: Dict[Tuple[str, str], LabelError] = {}
    for chosen, labels in _labels_by_heads(instances).items():
        for head in model.tasks.restrict(task, chosen):
            for field, error in _errors_of_head(model, head, task, labels):
                errors.setdefault((head, field), error)
    return list(errors.values())


def _labels_by_heads(instances: Iterable[Instance]) -> Dict[Optional[Tuple[str, ...]], Labels]:
    """The labels of instances, by the names in their field `heads`."""
    found: Dict[Optional[Tuple[str, ...]], Labels] = {}
    for instance in instances:
        heads = instance.fields.get("heads")
        chosen = heads.metadata if isinstance(heads, MetadataField) else None
        labels = found.setdefault(None if chosen is None else tuple(chosen), {})
        for name, field in instance.fields.items():
            _add(labels.setdefault(name, {}), field)
    return found


def _add(namespaces: Dict[str, List[str]], field: "Field[Any]") -> None:
    if label_namespace(field) not in namespaces:  # or all instances would take long
        for namespace, names in labels_of(field):
            namespaces.setdefault(namespace, names)


def _errors_of_head(
    model: MultiTaskModel, head: str, task: str, labels: Labels
) -> Iterator[Tuple[str, LabelError]]:
    module = model.head(head)
    learned, namespaces = _label_argument(module), find_namespaces(module)
    if not namespaces and type(module) is not RegressionHead:
        return  # a subclass may well learn the index of a class
    arguments = model.router(head).named_arguments(name for name in labels if labels[name])
    wrong = {}
    for field, argument in arguments.items():
        for other, examples in labels[field].items():
            if learned in (None, argument) and not _is_known(model, other, module, namespaces):
                names = format_names(labels_in(model.vocab, other) or examples)
                found = f"the field {field!r} of task {task!r}, whose labels {names} are in the "
                found += f"namespace {other!r}"
                wrong[field] = _message(model, head, argument, namespaces, found, other)
    # A head that does not say what it learns may have other label fields as inputs.
    if learned is not None or len(wrong) == len(arguments):
        for field, message in wrong.items():
            yield field, LabelError(head, message, is_certain=learned is not None)


def _label_argument(head: Head) -> Optional[str]:
    """The argument that a head learns to predict, if it says so or is AllenNLP's `classifier`."""
    named = getattr(head, "label_argument", None)
    return "label" if named is None and isinstance(head, ClassifierHead) else named


def _is_known(model: MultiTaskModel, namespace: str, head: Head, of_head: Sequence[str]) -> bool:
    """Whether the labels of a namespace have the same indices in one of those of a head."""
    if namespace in of_head or namespace not in model.vocab.get_namespaces():
        return bool(of_head)
    given = model.vocab.get_token_to_index_vocabulary(namespace)
    wanted = {label: given[label] for label in labels_in(model.vocab, namespace)}
    vocab = _vocab(model, head)
    for other in of_head:
        # AllenNLP's `classifier` with `num_labels` needs no vocabulary.
        if other not in vocab.get_namespaces():
            return True
        if wanted.items() <= vocab.get_token_to_index_vocabulary(other).items():
            return True
    return False


def _vocab(model: MultiTaskModel, head: Head) -> Vocabulary:
    vocab = getattr(head, "vocab", None)
    return vocab if isinstance(vocab, Vocabulary) else model.vocab


def _message(
    model: MultiTaskModel,
    head: str,
    argument: str,
    namespaces: Sequence[str],
    found: str,
    other: str,
) -> str:
    if not namespaces:
        return (
            f"The argument {argument!r} of the head {head!r} must be a number, but got {found}: "
            'the head would learn their indices. Read it as a number, with the type "number" in '
            "the labels of the reader."
        )
    namespace = namespaces[-1]
    known = format_names(labels_in(_vocab(model, model.head(head)), namespace))
    return (
        f"The argument {argument!r} of the head {head!r} must have labels of its label_namespace "
        f"{namespace!r}, {known}, but got {found}, with other indices: the head would take them "
        f"for others. Set label_namespace of the head to {other!r}, let the reader write these "
        f"labels to {namespace!r}, or correct arg_name_mapping."
    )
