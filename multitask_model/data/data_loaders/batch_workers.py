"""Collation of batches, in this process or in worker processes."""

import pickle
from typing import Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Union

import torch
from allennlp.data import Instance, Vocabulary
from torch.utils.data import DataLoader, Dataset

from multitask_model.data.collate import collate
from multitask_model.data.data_loaders.instance_streams import InstanceRef, PassRef, Placeholder
from multitask_model.data.data_loaders.pickling import to_bytes
from multitask_model.data.data_loaders.start_methods import get_context
from multitask_model.data.pass_fields import instance_at_pass

MAX_PICKLED_BYTES = 2**20
"""
Larger batches are sent through PyTorch's shared memory, which takes some milliseconds for a batch
of any size.
"""


class InstanceStore(Dataset[Instance]):
    """
    Returns the instance of a reference.

        >>> from allennlp.data.fields import MetadataField
        >>> instances = [Instance({"id": MetadataField("a")}), Instance({"id": MetadataField("b")})]
        >>> InstanceStore({"ewt": instances})["ewt", 1]["id"].metadata
        'b'

    # Parameters

    instances : `Mapping[str, Optional[Sequence[Instance]]]`
        The instances of each task; `None` if the task's dataset is read lazily.
    """

    def __init__(self, instances: Mapping[str, Optional[Sequence[Instance]]]) -> None:
        self._instances = dict(instances)
        self.vocab: Optional[Vocabulary] = None
        """Indexes instances that change from pass to pass."""

    def __getitem__(self, ref: InstanceRef) -> Instance:
        instance = self.in_memory(ref)
        if isinstance(ref, PassRef):
            return instance_at_pass(instance, ref.label, self.vocab)
        return instance

    def in_memory(self, ref: InstanceRef) -> Instance:
        """Returns the instance as it was read. It stays in memory, unless it is read lazily."""
        if not isinstance(ref, tuple):  # much faster than to ask whether it is an `Instance`
            return ref
        assert not isinstance(ref, Placeholder)
        instances = self._instances[ref[0]]
        assert instances is not None
        return instances[ref[1]]


class BatchCollator:
    """
    Collates batches in this process or in worker processes.

    The processes of `spawn`, and the first of `forkserver`, take seconds to start. Those of both
    wait for the next batches when all are collated, with a copy of the instances, and end with this
    object.

        >>> from allennlp.data.fields import MetadataField
        >>> instances = [Instance({"id": MetadataField("a")}), Instance({"id": MetadataField("b")})]
        >>> collator = BatchCollator(InstanceStore({"ewt": instances}), 0, "fork")
        >>> list(collator.collate([[("ewt", 1), ("ewt", 0)], [("ewt", 1)]]))
        [{'id': ['b', 'a']}, {'id': ['b']}]

    # Parameters

    store : `InstanceStore`
    num_workers : `int`
    start_method : `str`
    """

    def __init__(self, store: InstanceStore, num_workers: int, start_method: str) -> None:
        self._store = store
        self._num_workers = num_workers
        self._start_method = start_method
        self._waiting: Optional[_Workers] = None

    def __getstate__(self) -> Dict[str, object]:
        return {**self.__dict__, "_waiting": None}  # processes cannot be copied

    def reset(self) -> None:
        """Ends the waiting processes, because the instances have changed."""
        self._waiting = None

    def collate(self, batches: Iterable[List[InstanceRef]]) -> Iterator[Dict[str, object]]:
        """
        Yields the collated batches in order, whatever the number of worker processes. The global
        random number generators are not used.
        """
        if self._num_workers == 0:
            for refs in batches:
                yield collate([self._store[ref] for ref in refs])
            return
        # A second iteration at the same time has its own processes.
        workers, self._waiting = self._waiting, None
        workers = workers or self._make_workers()
        workers.source.batches = iter(batches)
        try:
            for batch in workers.loader:
                yield pickle.loads(batch) if isinstance(batch, bytes) else batch
        except GeneratorExit:
            self._keep(workers)
            raise
        self._keep(workers)

    def _keep(self, workers: "_Workers") -> None:
        if self._start_method != "fork":
            self._waiting = workers

    def _make_workers(self) -> "_Workers":
        source = _BatchSource()
        loader = DataLoader(
            self._store if self._start_method == "fork" else _SentStore(self._store),
            batch_sampler=source,
            collate_fn=_collate_in_worker,
            num_workers=self._num_workers,
            multiprocessing_context=get_context(self._start_method),
            generator=torch.Generator(),
            persistent_workers=self._start_method != "fork",
        )
        return _Workers(loader, source)


class _SentStore(Dataset[Instance]):
    """A store that is sent to a process as bytes, and not each tensor through a file."""

    def __init__(self, store: InstanceStore) -> None:
        self._store = store

    def __getitem__(self, ref: InstanceRef) -> Instance:
        return self._store[ref]

    def __getstate__(self) -> bytes:
        return to_bytes(self._store)

    def __setstate__(self, state: bytes) -> None:
        self._store = pickle.loads(state)


class _BatchSource:
    """The batches of the next iteration over a `DataLoader`, which must not be changed itself."""

    batches: Iterator[List[InstanceRef]] = iter(())

    def __iter__(self) -> Iterator[List[InstanceRef]]:
        return self.batches  # a `DataLoader` asks twice in its first iteration


class _Workers(NamedTuple):
    loader: Iterable[Union[bytes, Dict[str, object]]]
    source: _BatchSource


def _collate_in_worker(instances: Sequence[Instance]) -> Union[bytes, Dict[str, object]]:
    batch: Dict[str, object] = collate(instances)
    pickled = to_bytes(batch)
    return pickled if len(pickled) <= MAX_PICKLED_BYTES else batch
