"""Chunks of instances, which worker processes send to this process."""

from collections import deque
from typing import Deque, Iterator, List, Optional, Sequence

from allennlp.common.checks import ConfigurationError
from allennlp.common.util import lazy_groups_of
from allennlp.data import DatasetReader, Instance, Vocabulary
from allennlp.data.dataset_readers.dataset_reader import DatasetReaderInput, WorkerInfo
from allennlp.data.fields import TextField
from overrides import overrides

from multitask_model.compat.allennlp_internals import (
    set_worker_info,
    token_indexers,
    worker_info,
)


class Chunk(Instance):
    """Instances that a worker process sends together. `MultiProcessDataLoader` sends instances."""

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
    """
    Wraps a reader for a worker process: yields its instances in chunks, and then an empty last
    chunk.
    """

    def __init__(self, task: str, inner: DatasetReader, size: int) -> None:
        super().__init__(manual_distributed_sharding=True, manual_multiprocess_sharding=True)
        self.task = task
        self.inner = inner
        self.size = size

    @overrides
    def read(self, file_path: DatasetReaderInput) -> Iterator[Instance]:
        info = worker_info(self)
        assert info is not None
        for number, group in enumerate(lazy_groups_of(self.inner.read(file_path), self.size)):
            if number == 0:
                self._check_indexers(group[0])
            yield Chunk(group, info.id)
        yield Chunk([], info.id, is_last=True)

    @overrides
    def apply_token_indexers(self, instance: Instance) -> None:
        for item in instance.instances if isinstance(instance, Chunk) else [instance]:
            self.inner.apply_token_indexers(item)

    @overrides
    def _set_worker_info(self, info: Optional[WorkerInfo]) -> None:
        super()._set_worker_info(info)
        set_worker_info(self.inner, info)

    def _check_indexers(self, instance: Instance) -> None:
        for name, field in instance.fields.items():
            if isinstance(field, TextField) and token_indexers(field) is not None:
                raise ConfigurationError(
                    "A reader in a worker process must not set token indexers in text_to_instance, "
                    f"because each instance would be sent with a copy, but got some in the field "
                    f"{name!r} of the dataset {self.task!r}. Set them in apply_token_indexers, or "
                    "set num_workers of this dataset to 0."
                )


def merge_chunks(chunks: Iterator[Chunk], num_workers: int) -> Iterator[Instance]:
    """
    Yields the instances of chunks that arrive in any order: one of the first worker, one of the
    second, and so on. AllenNLP's readers shard in this order, so it is the order of the file.
    """
    waiting: List[Deque[Instance]] = [deque() for _ in range(num_workers)]
    is_reading = [True] * num_workers
    while any(is_reading) or any(waiting):
        for worker in range(num_workers):
            while is_reading[worker] and not waiting[worker]:
                chunk = next(chunks)
                waiting[chunk.worker].extend(chunk.instances)
                is_reading[chunk.worker] = not chunk.is_last
            if waiting[worker]:
                yield waiting[worker].popleft()
    for _ in chunks:  # exhausted, so that the worker processes are joined
        pass
