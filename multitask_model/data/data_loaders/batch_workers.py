"""Collation of batches, in this process or in worker processes."""

import contextlib
import io
import pickle
from typing import (
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import numpy
import torch
from allennlp.data import Instance
from torch.utils.data import DataLoader, Dataset

from multitask_model.data.collate import collate
from multitask_model.data.data_loaders.instance_streams import InstanceRef

MAX_PICKLED_BYTES = 2**20
"""
Larger batches are sent through PyTorch's shared memory, which takes some milliseconds for a batch
of any size.
"""


class InstanceStore(Dataset[Instance]):
    """
    Returns the instance of a reference.

    # Parameters

    instances : `Mapping[str, Optional[Sequence[Instance]]]`
        The instances of each task; `None` if the task's dataset is read lazily.
    """

    def __init__(self, instances: Mapping[str, Optional[Sequence[Instance]]]) -> None:
        self._instances = dict(instances)

    def __getitem__(self, ref: InstanceRef) -> Instance:
        if isinstance(ref, Instance):
            return ref
        task, index = ref
        instances = self._instances[task]
        assert instances is not None
        return instances[index]


def collate_batches(
    batches: Iterable[List[InstanceRef]], store: InstanceStore, num_workers: int, start_method: str
) -> Iterator[Dict[str, object]]:
    """
    Yields the collated batches in order, whatever the number of worker processes. The global random
    number generators are not used.
    """
    if num_workers == 0:
        for refs in batches:
            yield collate([store[ref] for ref in refs])
        return
    received: Iterable[Union[bytes, Dict[str, object]]] = DataLoader(
        store,
        batch_sampler=batches,
        collate_fn=_collate_in_worker,
        num_workers=num_workers,
        multiprocessing_context=start_method,
        generator=torch.Generator(),
    )
    for batch in received:
        yield pickle.loads(batch) if isinstance(batch, bytes) else batch


def _collate_in_worker(instances: Sequence[Instance]) -> Union[bytes, Dict[str, object]]:
    batch: Dict[str, object] = collate(instances)
    pickled = to_bytes(batch)
    return pickled if len(pickled) <= MAX_PICKLED_BYTES else batch


def to_bytes(batch: Mapping[str, object]) -> bytes:
    """Pickles a batch. Tensors are pickled as NumPy arrays, which is faster."""
    file = io.BytesIO()
    _Pickler(file, pickle.HIGHEST_PROTOCOL).dump(batch)
    return file.getvalue()


_ReducedTensor = Tuple[Callable[[numpy.ndarray], torch.Tensor], Tuple[numpy.ndarray]]


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: object) -> _ReducedTensor:
        # Subclasses of `Tensor` hold more than an array.
        if type(value) is torch.Tensor:
            # Sparse tensors, tensors that require grad, and dtypes that NumPy lacks are errors.
            with contextlib.suppress(RuntimeError, TypeError):
                return _tensor, (value.numpy(),)
        not_reduced: _ReducedTensor = NotImplemented
        return not_reduced


def _tensor(array: numpy.ndarray) -> torch.Tensor:
    return torch.from_numpy(array)
