"""The instances of one dataset in a fixed order, read in this process or in worker processes."""

import contextlib
from typing import Generator, Iterable, Iterator, List, Optional, cast

from allennlp.common.checks import ConfigurationError
from allennlp.data import DataLoader, DatasetReader, Instance, Vocabulary
from allennlp.data.data_loaders import MultiProcessDataLoader
from allennlp.data.dataset_readers.dataset_reader import DatasetReaderInput
from overrides import overrides

from multitask_model.compat.allennlp_internals import limit_instance_queue
from multitask_model.data.data_loaders.chunks import Chunk, ChunkReader, merge_chunks

DEFAULT_CHUNK_SIZE = 10


class TaskDataset(DataLoader):
    """
    The instances of one dataset, read by AllenNLP's `MultiProcessDataLoader`. They are kept in
    memory, unless `max_instances_in_memory` is given. The length is the number of instances.

    # Parameters

    task : `str`
    reader : `DatasetReader`
    data_path : `DatasetReaderInput`
    num_workers : `int`, optional (default = `0`)
        The number of processes that read.
    max_instances_in_memory : `int`, optional (default = `None`)
        If given, instances are read again in each pass and are not kept.
    start_method : `str`, optional (default = `"fork"`)
        How processes are started: see `multiprocessing.get_context`.
    instance_queue_size : `int`, optional (default = `None`)
        The number of instances that may wait in the queue from the processes. Not limited by
        default, or twice `max_instances_in_memory` per process if that is given.
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
        self.source = MultiProcessDataLoader(
            ChunkReader(task, reader, instance_chunk_size) if num_workers else reader,
            data_path,
            batch_size=1,
            num_workers=num_workers,
            max_instances_in_memory=1,  # it reads lazily and keeps no instances
            start_method=start_method,
        )
        """AllenNLP's loader, which reads the instances."""
        if instance_queue_size is None and max_instances_in_memory is not None:
            instance_queue_size = 2 * num_workers * max_instances_in_memory
        limit_instance_queue(self.source, chunks_in(instance_queue_size, instance_chunk_size))
        self.instances: Optional[List[Instance]] = None
        """All instances, or `None` if they are read lazily."""
        if max_instances_in_memory is None:
            self.instances = list(self.iter_instances())
        self.first = _first_instance(task, reader, data_path, self.instances)
        """An example, in which all fields of the dataset's instances are assumed to be."""

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
        reading = cast(Generator[Instance, None, None], self.source.iter_instances())
        with contextlib.closing(reading):
            if self.source.num_workers:
                yield from merge_chunks(cast(Iterator[Chunk], reading), self.source.num_workers)
            else:
                yield from reading

    @overrides
    def index_with(self, vocab: Vocabulary) -> None:
        self.source.index_with(vocab)
        for instance in self.instances or ():
            instance.index_fields(vocab)


def chunks_in(instances: Optional[int], chunk_size: int) -> Optional[int]:
    """Converts a queue size in instances to one in chunks. `None` and 0 mean no limit."""
    return instances and max(1, instances // chunk_size)


def _first_instance(
    task: str,
    reader: DatasetReader,
    data_path: DatasetReaderInput,
    instances: Optional[Iterable[Instance]],
) -> Instance:
    found = next(iter(reader.read(data_path) if instances is None else instances), None)
    if found is None:
        name = type(getattr(reader, "inner", reader)).__name__
        raise ConfigurationError(
            f"Every dataset must have at least one instance, but got none for {task!r}: its reader "
            f"({name}) found nothing in {data_path!r}. Correct the path or the file, or remove the "
            "dataset."
        )
    return found
