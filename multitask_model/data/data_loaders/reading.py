"""Reading and indexing of one dataset, with errors that name its task."""

from typing import Iterator

from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance, Vocabulary
from allennlp.data.dataset_readers.dataset_reader import DatasetReaderInput

from multitask_model.data.label_fields import UnknownLabelError, index_fields
from multitask_model.errors import format_value


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
        index_fields(instance, vocab)
    except UnknownLabelError as error:
        shown = {name: f.human_readable_repr() for name, f in instance.fields.items()}
        raise ConfigurationError(
            f"{error.found} of instance {number} (counted from 0) of the dataset {task!r}, read "
            f"from {data_path!r}: {format_value(shown)}. {error.known} Correct the label, or add "
            "it to the data that the vocabulary is made of."
        ) from error.__cause__


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
