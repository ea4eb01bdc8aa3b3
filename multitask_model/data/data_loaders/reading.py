"""Reading and indexing of one dataset, with errors that name its task."""

from typing import Iterator, List, Optional, Tuple

from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance, Vocabulary
from allennlp.data.dataset_readers.dataset_reader import DatasetReaderInput
from allennlp.data.fields import ListField

from multitask_model.compat.allennlp_internals import label_namespace
from multitask_model.errors import format_names, format_value, suggest


def read_dataset(
    task: str, reader: DatasetReader, data_path: DatasetReaderInput
) -> Iterator[Instance]:
    """
    Yields the instances that `reader` reads.

    # Raises

    `FileNotFoundError`
        If a file of the dataset does not exist. The message names the task.
    """
    try:
        yield from reader.read(data_path)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"The files of every dataset must exist, but got {data_path!r} for {task!r}: {error}. "
            "Correct the data path."
        ) from error


def index_instance(
    instance: Instance,
    vocab: Vocabulary,
    task: str,
    data_path: DatasetReaderInput,
    number: int,
) -> None:
    """
    Indexes an instance with a vocabulary.

    # Raises

    `ConfigurationError`
        If a label is not in the vocabulary. The message names the task and shows the instance.
    """
    try:
        instance.index_fields(vocab)
    except KeyError as error:
        unknown = _unknown_label(instance, vocab)
        if unknown is None:
            raise
        field, namespace, label = unknown
        known = list(vocab.get_token_to_index_vocabulary(namespace))
        shown = {name: f.human_readable_repr() for name, f in instance.fields.items()}
        raise ConfigurationError(
            f"Every label must be in the vocabulary, but got {label!r} in the field {field!r} of "
            f"instance {number} (counted from 0) of the dataset {task!r}, read from {data_path!r}: "
            f"{format_value(shown)}. The namespace {namespace!r} has {format_names(known)}."
            f"{suggest(label, known)} Correct the label, or add it to the data that the vocabulary "
            "is made of."
        ) from error


def check_same_indices(before: Vocabulary, vocab: Vocabulary, task: str) -> None:
    """
    Checks that the namespaces that two vocabularies have in common are equal.

    # Raises

    `ConfigurationError`
        If one of them is not.
    """
    if vocab is before:
        return
    for namespace in sorted(before.get_namespaces() & vocab.get_namespaces()):
        entries = [v.get_token_to_index_vocabulary(namespace) for v in (before, vocab)]
        if entries[0] != entries[1]:
            raise ConfigurationError(
                f"The instances of a data loader are indexed with one vocabulary, but those of "
                f"{task!r} already have the indices of another, whose namespace {namespace!r} "
                "differs. Make a data loader for each vocabulary."
            )


def _unknown_label(instance: Instance, vocab: Vocabulary) -> Optional[Tuple[str, str, str]]:
    """Returns the name of the field, the namespace and the label that `vocab` does not have."""
    for name, field in instance.fields.items():
        for namespace, label in _labels(field):
            try:
                vocab.get_token_index(label, namespace)
            except KeyError:
                return name, namespace, label
    return None


def _labels(field: object) -> List[Tuple[str, str]]:
    """Returns the namespaces and labels of a label field, or of those inside a `ListField`."""
    if isinstance(field, ListField):
        return [found for item in field.field_list for found in _labels(item)]
    namespace = label_namespace(field)
    labels: object = getattr(field, "labels", None)
    if not isinstance(labels, (list, tuple)):
        labels = [getattr(field, "label", None)]
    return [(namespace, label) for label in labels if namespace and isinstance(label, str)]
