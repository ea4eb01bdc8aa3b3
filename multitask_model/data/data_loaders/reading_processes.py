"""Reading of one dataset in several processes."""

import contextlib
import pickle
import signal
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, TypeVar, Union

from allennlp.data import Instance
from allennlp.data.dataset_readers.dataset_reader import WorkerInfo

from multitask_model.data.data_loaders.chunks import Chunk, Failure, ReadingJob, serve
from multitask_model.data.data_loaders.start_methods import get_context

T = TypeVar("T")

SECONDS_BETWEEN_CHECKS = 1.0
"""How often it is checked that no process has ended, while waiting for instances."""


class _ReadingProcess(NamedTuple):
    """A process, and the connection to it. No other process has the other end of it."""

    process: BaseProcess
    connection: Connection


class ReadingProcesses:
    """
    Yields the instances of a dataset in the order of the file, each time it is iterated over.

    The processes of `spawn`, and the first of `forkserver`, take seconds to start. Those of both
    wait for the next iteration when one is finished, and end with this object.

        >>> from multitask_model.data.dataset_readers.labeled_text import LabeledTextReader
        >>> class TextsReader(LabeledTextReader):
        ...     def _read(self, texts):
        ...         return map(self.text_to_instance, self.shard_iterable(texts))
        >>> job = ReadingJob("tweets", TextsReader({}), ["So good", "Hi", "Bye"], 10, None)
        >>> [instance["text"].tokens for instance in ReadingProcesses(job, 2, "fork")]
        [[So, good], [Hi], [Bye]]

    # Parameters

    job : `ReadingJob`
    num_workers : `int`
    start_method : `str`

    # Raises

    `WorkerError`
        While reading, if a reader raises an error, with its traceback.
    `ConfigurationError`
        While reading, if a reader raises one. The `WorkerError` is its cause.
    `RuntimeError`
        While reading, if a process ends, such as for lack of memory.
    """

    def __init__(self, job: ReadingJob, num_workers: int, start_method: str) -> None:
        self._job = job
        self.num_workers = num_workers
        self.start_method = start_method
        self._waiting: Optional[List[_ReadingProcess]] = None

    def __getstate__(self) -> Dict[str, object]:
        return {**self.__dict__, "_waiting": None}  # processes cannot be copied

    def __iter__(self) -> Iterator[Instance]:
        # A second iteration at the same time has its own processes.
        workers, self._waiting = self._waiting, None
        if workers is None or not all(worker.process.is_alive() for worker in workers):
            workers = self._start()
        is_finished = False
        try:
            for worker in workers:
                with contextlib.suppress(OSError):  # if it has ended, which receiving reports
                    worker.connection.send(True)
            yield from round_robin([self._receive(worker, workers) for worker in workers])
            is_finished = True
        finally:
            if is_finished and self.start_method != "fork" and self._waiting is None:
                self._waiting = workers
            else:
                _stop(workers, is_finished)

    def _start(self) -> List[_ReadingProcess]:
        context = get_context(self.start_method)
        workers = []
        for worker_id in range(self.num_workers):
            ours, theirs = context.Pipe()
            args = (theirs, self._job, WorkerInfo(self.num_workers, worker_id))
            process: BaseProcess = context.Process(target=serve, args=args, daemon=True)  # type: ignore[attr-defined]
            process.start()
            # Then the end of the process closes the connection.
            theirs.close()
            workers.append(_ReadingProcess(process, ours))
        return workers

    def _receive(
        self, worker: _ReadingProcess, workers: Sequence[_ReadingProcess]
    ) -> Iterator[Instance]:
        """Yields the instances of one process."""
        while True:
            try:
                while not worker.connection.poll(SECONDS_BETWEEN_CHECKS):
                    # A process that waits for a lock of another one would wait forever.
                    for other in workers:
                        if not other.process.is_alive():
                            raise self._error(other)
                received: Union[Chunk, Failure] = pickle.loads(worker.connection.recv_bytes())
            except (EOFError, OSError) as error:
                raise self._error(worker) from error
            if isinstance(received, Failure):
                raise received.error()
            if not received:
                return
            for instance in received:
                self._job.reader.apply_token_indexers(instance)
                yield instance

    def _error(self, worker: _ReadingProcess) -> RuntimeError:
        worker.process.join(1)
        code = worker.process.exitcode
        name = f", {signal.Signals(-code).name}" if code is not None and code < 0 else ""
        return RuntimeError(
            f"The processes that read the dataset {self._job.task!r} must not end before they have "
            f"sent all instances, but got the end of process {worker.process.pid} (exit code "
            f"{code}{name}). If the memory was not sufficient, reduce num_workers or set "
            "max_instances_in_memory. Set num_workers to 0 to read in the main process."
        )


def round_robin(streams: Iterable[Iterator[T]]) -> Iterator[T]:
    """
    Yields one item of the first stream, one of the second, and so on. AllenNLP's readers shard in
    this order, so it is the order of the file.
    """
    remaining = list(streams)
    while remaining:
        exhausted = []
        for stream in remaining:
            try:
                item = next(stream)
            except StopIteration:
                exhausted.append(stream)
            else:
                yield item
        for stream in exhausted:
            remaining.remove(stream)


def _stop(workers: Iterable[_ReadingProcess], is_finished: bool) -> None:
    for process, connection in workers:
        if is_finished:
            with contextlib.suppress(OSError):
                connection.send(False)
        else:
            process.terminate()
        connection.close()
    for process, _ in workers:
        process.join(1)
        if process.is_alive():
            process.kill()
            process.join(1)
