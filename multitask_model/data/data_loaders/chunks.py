"""What a process that reads a dataset does: it sends the instances in chunks."""

import os
import queue
import threading
import traceback
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import Iterator, NamedTuple, Optional, Tuple

from allennlp.common.checks import ConfigurationError
from allennlp.common.util import lazy_groups_of
from allennlp.data import DatasetReader, Instance
from allennlp.data.data_loaders.multiprocess_data_loader import WorkerError
from allennlp.data.dataset_readers.dataset_reader import DatasetReaderInput, WorkerInfo
from allennlp.data.fields import TextField

from multitask_model.compat.allennlp_internals import set_worker_info, token_indexers
from multitask_model.data.data_loaders.pickling import to_bytes
from multitask_model.data.data_loaders.reading import read_dataset


class ReadingJob(NamedTuple):
    """
    What to read, and how to send it.

        >>> from allennlp.data.fields import MetadataField
        >>> class RangeReader(DatasetReader):
        ...     def _read(self, file_path):
        ...         return (Instance({"id": MetadataField(i)}) for i in range(int(file_path)))
        >>> job = ReadingJob("ids", RangeReader(), "3", chunk_size=2, max_chunks=None)
        >>> [len(chunk) for chunk in _chunks(job)]
        [2, 1]

    # Parameters

    task : `str`
    reader : `DatasetReader`
    data_path : `DatasetReaderInput`
    chunk_size : `int`
        The number of instances that are sent together.
    max_chunks : `int`, optional
        The number of chunks that may wait in each process. Not limited if `None`.
    """

    task: str
    reader: DatasetReader
    data_path: DatasetReaderInput
    chunk_size: int
    max_chunks: Optional[int]


class Failure(NamedTuple):
    """An error in a process."""

    type: str
    text: str
    traceback: str
    is_configuration_error: bool

    @classmethod
    def of(cls, error: Exception) -> "Failure":
        """Describes the error that is being handled."""
        try:
            text = str(error) or repr(error)
        except Exception:
            text = repr(error)
        is_configuration_error = isinstance(error, ConfigurationError)
        return cls(type(error).__name__, text, traceback.format_exc(), is_configuration_error)

    def error(self) -> Exception:
        """A `WorkerError`. A `ConfigurationError` stays one, since it says what to do."""
        error = WorkerError(f"{self.type}: {self.text}", [self.traceback])
        if not self.is_configuration_error:
            return error
        configuration_error = ConfigurationError(self.text)
        configuration_error.__cause__ = error
        return configuration_error


Chunk = Tuple[Instance, ...]
"""Instances that are sent together. The empty chunk is the end of a pass over the dataset."""


def serve(connection: Connection, job: ReadingJob, info: WorkerInfo) -> None:
    """
    Sends the instances of this process's shard for each `True` that is received, until `False` is
    received or the connection is closed. Ends when the parent process does.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    set_worker_info(job.reader, info)
    try:
        while connection.recv():
            _send_pass(connection, job)
    except (EOFError, OSError):
        pass  # the parent process has closed the connection


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _send_pass(connection: Connection, job: ReadingJob) -> None:
    """Reads and sends at the same time."""
    messages: queue.Queue[Optional[bytes]] = queue.Queue(job.max_chunks or 0)
    sender = threading.Thread(target=_send, args=(connection, messages), daemon=True)
    sender.start()
    try:
        for chunk in _chunks(job):
            messages.put(to_bytes(chunk))
    except Exception as error:
        messages.put(to_bytes(Failure.of(error)))
    else:
        messages.put(to_bytes(()))
    messages.put(None)
    sender.join()


def _send(connection: Connection, messages: "queue.Queue[Optional[bytes]]") -> None:
    try:
        for message in iter(messages.get, None):
            connection.send_bytes(message)
    except OSError:
        os._exit(1)  # the parent process has closed the connection


def _chunks(job: ReadingJob) -> Iterator[Chunk]:
    groups = lazy_groups_of(read_dataset(job.task, job.reader, job.data_path), job.chunk_size)
    for number, group in enumerate(groups):
        if number == 0:
            _check_indexers(job.task, group[0])
        yield tuple(group)


def _check_indexers(task: str, instance: Instance) -> None:
    for name, field in instance.fields.items():
        if isinstance(field, TextField) and token_indexers(field) is not None:
            raise ConfigurationError(
                "A reader in a worker process must not set token indexers in text_to_instance, "
                f"because each instance would be sent with a copy, but got some in the field "
                f"{name!r} of the dataset {task!r}. Set them in apply_token_indexers, or "
                "set num_workers of this dataset to 0."
            )
