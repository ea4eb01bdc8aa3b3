"""Batches from keys, made here or in worker processes."""

from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence

import torch
from allennlp.data import Instance
from torch.utils.data import DataLoader, Dataset

from multitask_model.data.collate import collate
from multitask_model.data.streams import Key


class Lookup(Dataset):
    """The instance of each key."""

    def __init__(self, instances: Mapping[str, Optional[Sequence[Instance]]]) -> None:
        self._instances = dict(instances)

    def __getitem__(self, key: Key) -> Instance:
        if isinstance(key, Instance):
            return key
        task, index = key
        instances = self._instances[task]
        assert instances is not None
        return instances[index]


def collated(
    batches: Iterable[List[Key]], lookup: Lookup, num_workers: int, start_method: str
) -> Iterator[Dict[str, Any]]:
    """
    What `collate` makes of each of the batches, in their order, whatever the number of workers. No
    random numbers of the caller's are used up.
    """
    if num_workers == 0:
        for keys in batches:
            yield collate([lookup[key] for key in keys])
        return
    yield from DataLoader(
        lookup,
        batch_sampler=batches,
        collate_fn=collate,
        num_workers=num_workers,
        multiprocessing_context=start_method,
        generator=torch.Generator(),
    )
