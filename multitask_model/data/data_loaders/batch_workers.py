"""Batches from keys, made here or in worker processes."""

import io
import pickle
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Union

import numpy
import torch
from allennlp.data import Instance
from torch.utils.data import DataLoader, Dataset

from multitask_model.data.collate import collate
from multitask_model.data.data_loaders.instance_streams import InstanceRef

MAX_PICKLED_BYTES = 2**20
"""Bytes. PyTorch's way through shared memory takes some milliseconds, but not more for more."""


class InstanceStore(Dataset):
    """The instance of each key."""

    def __init__(self, instances: Mapping[str, Optional[Sequence[Instance]]]) -> None:
        self._instances = dict(instances)

    def __getitem__(self, key: InstanceRef) -> Instance:
        if isinstance(key, Instance):
            return key
        task, index = key
        instances = self._instances[task]
        assert instances is not None
        return instances[index]


def collated(
    batches: Iterable[List[InstanceRef]], lookup: InstanceStore, num_workers: int, start_method: str
) -> Iterator[Dict[str, Any]]:
    """
    What `collate` makes of each of the batches, in their order, whatever the number of workers. No
    random numbers of the caller's are used up.
    """
    if num_workers == 0:
        for keys in batches:
            yield collate([lookup[key] for key in keys])
        return
    made: Iterable[Union[bytes, Dict[str, Any]]] = DataLoader(
        lookup,
        batch_sampler=batches,
        collate_fn=_collate_to_send,
        num_workers=num_workers,
        multiprocessing_context=start_method,
        generator=torch.Generator(),
    )
    for batch in made:
        yield pickle.loads(batch) if isinstance(batch, bytes) else batch


def _collate_to_send(instances: Sequence[Instance]) -> Union[bytes, Dict[str, Any]]:
    batch = collate(instances)
    pickled = to_bytes(batch)
    return pickled if len(pickled) <= MAX_PICKLED_BYTES else batch


def to_bytes(batch: Mapping[str, Any]) -> bytes:
    """Pickled, with tensors as arrays, which is faster."""
    file = io.BytesIO()
    _Pickler(file, pickle.HIGHEST_PROTOCOL).dump(batch)
    return file.getvalue()


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        # The exact class, because others have more to them than their numbers.
        if type(value) is torch.Tensor:
            try:
                return _tensor, (value.numpy(),)
            except (RuntimeError, TypeError):  # sparse, with gradients, or of no type of numpy
                return NotImplemented
        return NotImplemented


def _tensor(array: numpy.ndarray) -> torch.Tensor:
    return torch.from_numpy(array)
