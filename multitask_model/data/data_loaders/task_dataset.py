"""The instances of one dataset in a fixed order, read in this process or in worker processes."""

import contextlib
from typing import Generator, Iterable, Iterator, List, Optional

from allennlp.common import Tqdm
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import is_distributed
from allennlp.data import DataLoader, DatasetReader, Instance, Vocabulary
from allennlp.data.dataset_readers.dataset_reader import DatasetReaderInput
from overrides import overrides

from multitask_model.data.data_loaders.chunks import ReadingJob
from multitask_model.data.data_loaders.reading import (
    check_same_indices,
    index_instance,
    read_dataset,
)
from multitask_model.data.data_loaders.reading_processes import ReadingProcesses
from multitask_model.data.pass_fields import changes_each_pass

DEFAULT_CHUNK_SIZE = 10


class TaskDataset(DataLoader):
    """
    The instances of one dataset. They are kept in memory, unless `max_instances_in_memory` is
    given. The length is the number of instances.

        >>> from tempfile import NamedTemporaryFile
        >>> from multitask_model import LabeledJsonlReader
        >>> with NamedTemporaryFile("w") as file:
        ...     print('{"text": "So good"}', '{"text": "Hi"}', sep="\\n", file=file, flush=True)
        ...     dataset = TaskDataset("tweets", LabeledJsonlReader({}), file.name)
        >>> len(dataset), dataset.first["text"].tokens
        (2, [So, good])

    # Parameters

    task : `str`
    reader : `DatasetReader`
    data_path : `DatasetReaderInput`
    num_workers : `int`, optional (default = `0`)
        The number of processes that read.
    max_instances_in_memory : `int`, optional (default = `None`)
        If given, instances are read again in each pass and are not kept.
    start_method : `str`, optional (default = `"fork"`)
        How processes are started: see `multiprocessing.get_context`. With `"spawn"` and
        `"forkserver"`, they are started once and read every pass.
    instance_queue_size : `int`, optional (default = `None`)
        The number of instances that may wait in all the processes together. Not limited by default,
        or twice `max_instances_in_memory` per process if that is given.
    instance_chunk_size : `int`, optional (default = `10`)
        The number of instances that are sent together.

    # Raises

    `ConfigurationError`
        If there are no instances.
    """

    def __init__(
        self,
        task: str,
        reader: DatasetReader,
        data_path: DatasetReaderInput,
        num_workers: int = 0,
        max_instances_in_memory: Optional[int] = None,
        start_method: str = "fork",
        instance_queue_size: Optional[int] = None,
        instance_chunk_size: int = DEFAULT_CHUNK_SIZE,
    ) -> None:
        self.max_instances_in_memory = max_instances_in_memory
        if instance_queue_size is None and max_instances_in_memory is not None:
            instance_queue_size = 2 * num_workers * max_instances_in_memory
        max_chunks = chunks_per_worker(instance_queue_size, instance_chunk_size, num_workers)
        self.job = ReadingJob(task, reader, data_path, instance_chunk_size, max_chunks)
        """What is read, and how worker processes send it."""
        self.processes = (
            ReadingProcesses(self.job, num_workers, start_method) if num_workers else None
        )
        """The processes that read, or `None` if this process reads."""
        self.vocab: Optional[Vocabulary] = None
        """The vocabulary that the instances are indexed with."""
        self.instances: Optional[List[Instance]] = None
        """All instances, or `None` if they are read lazily."""
        if max_instances_in_memory is None:
            self.instances = list(self.iter_instances())
        self.first = self._first_instance()
        """
        An example, in which all fields of the dataset's instances are assumed to be. `None` if this
        process has none of the instances.
        """
        if self.first is None and not is_distributed():
            raise self.empty_error()
        self.changes_each_pass = self.first is not None and changes_each_pass(self.first)
        """Whether the instances change from pass to pass, such as those with masked words."""

    def _first_instance(self) -> Optional[Instance]:
        instances: Optional[Iterable[Instance]] = self.instances
        if instances is None:
            instances = read_dataset(self.job.task, self.job.reader, self.job.data_path)
        return next(iter(instances), None)

    def empty_error(self) -> ConfigurationError:
        """Returns the error for a dataset without instances."""
        name = type(getattr(self.job.reader, "inner", self.job.reader)).__name__
        return ConfigurationError(
            f"Every dataset must have at least one instance, but got none for {self.job.task!r}: "
            f"its reader ({name}) found nothing in {self.job.data_path!r}. Correct the path or the "
            "file, or remove the dataset."
        )

    @property
    def known_length(self) -> Optional[int]:
        """The number of instances; `None` if they are read lazily, and there are any."""
        if self.instances is None:
            return 0 if self.first is None else None
        return len(self.instances)

    @overrides
    def __len__(self) -> int:
        if self.instances is None:
            raise TypeError("A dataset that is read lazily (max_instances_in_memory) has no length")
        return len(self.instances)

    @overrides
    def iter_instances(self) -> Iterator[Instance]:
        if self.instances is not None:
            yield from self.instances
            return
        # If the caller stops early, the reading is closed at once, which ends the processes.
        with contextlib.closing(self._read()) as reading:
            for number, instance in enumerate(Tqdm.tqdm(reading, desc="loading instances")):
                self._index(instance, number)
                yield instance

    def _index(self, instance: Instance, number: int) -> None:
        if self.vocab is not None:
            index_instance(instance, self.vocab, self.job.task, self.job.data_path, number)

    def _read(self) -> Generator[Instance, None, None]:
        if self.processes is not None:
            yield from self.processes
            return
        for instance in read_dataset(self.job.task, self.job.reader, self.job.data_path):
            self.job.reader.apply_token_indexers(instance)
            yield instance

    @overrides
    def index_with(self, vocab: Vocabulary) -> None:
        """
        # Raises

        `ConfigurationError`
            If instances in memory are indexed with another vocabulary, which is not undone.
        """
        if self.vocab is not None and self.instances is not None:
            check_same_indices(self.vocab, vocab, self.job.task)
        self.vocab = vocab
        for number, instance in enumerate(self.instances or ()):
            self._index(instance, number)


def chunks_per_worker(instances: Optional[int], chunk_size: int, num_workers: int) -> Optional[int]:
    """
    Converts the number of instances that may wait to the number of chunks per process. `None` and 0
    mean no limit.
    """
    return instances and max(1, instances // (chunk_size * max(1, num_workers)))
