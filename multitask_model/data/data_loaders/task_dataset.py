"""The instances of one dataset, read here or in worker processes, in an order that is fixed."""

import contextlib
import itertools
from collections import deque
from typing import Any, Deque, Iterator, List, Optional, Sequence

from allennlp.common.checks import ConfigurationError
from allennlp.common.util import lazy_groups_of
from allennlp.data import DataLoader, DatasetReader, Instance, Vocabulary
from allennlp.data.data_loaders import MultiProcessDataLoader
from allennlp.data.dataset_readers.dataset_reader import DatasetReaderInput, WorkerInfo
from allennlp.data.fields import TextField
from overrides import overrides

CHUNK_SIZE = 10


class Chunk(Instance):
    """Some instances on their way from a worker process, and which worker that was."""

    __slots__ = ["instances", "worker", "is_last"]

    def __init__(self, instances: Sequence[Instance], worker: int, is_last: bool = False) -> None:
        super().__init__({})
        self.instances = instances
        self.worker = worker
        self.is_last = is_last

    @overrides
    def index_fields(self, vocab: Vocabulary) -> None:
        for instance in self.instances:
            instance.index_fields(vocab)


class ChunkReader(DatasetReader):
    """Reads in a worker process what another reader reads, in chunks. An empty one is the last."""

    def __init__(self, task: str, inner: DatasetReader, size: int) -> None:
        super().__init__(manual_distributed_sharding=True, manual_multiprocess_sharding=True)
        self.task = task
        self.inner = inner
        self.size = size

    @overrides
    def read(self, file_path: DatasetReaderInput) -> Iterator[Instance]:
        info = self._worker_info
        assert info is not None
        for number, group in enumerate(lazy_groups_of(self.inner.read(file_path), self.size)):
            if number == 0:
                self._check_indexers(group[0])
            yield Chunk(group, info.id)
        yield Chunk([], info.id, is_last=True)

    @overrides
    def apply_token_indexers(self, instance: Instance) -> None:
        for one in instance.instances if isinstance(instance, Chunk) else [instance]:
            self.inner.apply_token_indexers(one)

    @overrides
    def _set_worker_info(self, info: Optional[WorkerInfo]) -> None:
        super()._set_worker_info(info)
        self.inner._set_worker_info(info)

    def _check_indexers(self, instance: Instance) -> None:
        for name, field in instance.fields.items():
            if isinstance(field, TextField) and field._token_indexers is not None:
                raise ConfigurationError(
                    "Instances from worker processes must come without token indexers, so that "
                    f"these are not sent along with each, but the field {name!r} of the dataset "
                    f"{self.task!r} has some. Have its reader set them in apply_token_indexers, or "
                    "set the num_workers of this dataset to 0."
                )


def in_order(chunks: Iterator[Any], workers: int) -> Iterator[Instance]:
    """
    The instances of chunks that arrive in any order: one of the first worker, one of the second,
    and so on, which is how AllenNLP's readers deal out what they read. So it is the order of the
    file.
    """
    waiting: List[Deque[Instance]] = [deque() for _ in range(workers)]
    reading = [True] * workers
    while True:
        for worker in range(workers):
            while reading[worker] and not waiting[worker]:
                chunk = next(chunks)
                waiting[chunk.worker].extend(chunk.instances)
                reading[chunk.worker] = not chunk.is_last
            if waiting[worker]:
                yield waiting[worker].popleft()
        if not any(reading) and not any(waiting):
            break
    for _ in chunks:  # to its end, which it has when the processes have ended
        pass


class TaskDataset(DataLoader):
    """
    The instances of one dataset. AllenNLP's `MultiProcessDataLoader` reads them; they are kept
    here, unless there are too many. The length is the number of instances.

    # Parameters

    task : `str`
    reader : `DatasetReader`
    data_path : `DatasetReaderInput`
    num_workers : `int`, optional (default = `0`)
        How many processes read.
    max_instances_in_memory : `int`, optional (default = `None`)
        If given, instances are read again in every epoch, and none are kept.
    start_method : `str`, optional (default = `"fork"`)
        How the processes are started.
    instance_queue_size : `int`, optional (default = `None`)
        So many instances may wait to be taken from the processes. By default that has no limit, or
        twice `max_instances_in_memory` for each process.
    instance_chunk_size : `int`, optional (default = `10`)
        So many instances are sent together.

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
        instance_chunk_size: int = CHUNK_SIZE,
    ) -> None:
        self.pool_size = max_instances_in_memory
        self._num_workers = num_workers
        self._loader = MultiProcessDataLoader(
            ChunkReader(task, reader, instance_chunk_size) if num_workers else reader,
            data_path,
            batch_size=1,
            num_workers=num_workers,
            max_instances_in_memory=1,  # so that it keeps none
            start_method=start_method,
        )
        if instance_queue_size is None and max_instances_in_memory is not None:
            instance_queue_size = 2 * num_workers * max_instances_in_memory
        self._loader._max_instance_queue_size = instance_queue_size and max(
            1, instance_queue_size // instance_chunk_size
        )
        self.instances: Optional[List[Instance]] = None
        if max_instances_in_memory is None:
            self.instances = list(self.iter_instances())
            found = self.instances[:1]
        else:
            found = list(itertools.islice(reader.read(data_path), 1))
        if not found:
            raise ConfigurationError(
                f"Every dataset must have at least one instance, but {task!r} has none: its reader "
                f"({type(getattr(reader, 'inner', reader)).__name__}) found nothing in "
                f"{data_path!r}. Correct the path or the file, or leave the dataset out."
            )
        self.first = found[0]

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
        # Closed at once if the caller stops, so that the processes end.
        with contextlib.closing(self._loader.iter_instances()) as read:  # type: ignore[type-var]
            yield from in_order(read, self._num_workers) if self._num_workers else read

    @overrides
    def index_with(self, vocab: Vocabulary) -> None:
        self._loader.index_with(vocab)
        for instance in self.instances or ():
            instance.index_fields(vocab)
