"""Reading of one dataset, with errors that name its task."""

from typing import Iterator

from allennlp.data import DatasetReader, Instance
from allennlp.data.dataset_readers.dataset_reader import DatasetReaderInput


def read_dataset(
    task: str, reader: DatasetReader, data_path: DatasetReaderInput
) -> Iterator[Instance]:
    """Yields the instances that `reader` reads."""
    yield from reader.read(data_path)
