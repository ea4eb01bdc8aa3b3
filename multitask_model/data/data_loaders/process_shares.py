"""The share of each process in the instances of an epoch, in distributed training."""

import itertools
from typing import Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Sized

import numpy
import torch
from allennlp.nn.util import distributed_device

from multitask_model.data.data_loaders.instance_streams import (
    InstanceRef,
    Placeholder,
    SizedIterable,
)
from multitask_model.distributed import gather, rank

Lengths = Mapping[str, Optional[int]]
"""The number of instances of each task that a process reads; `None` if it reads them lazily."""


class ProcessShares:
    """
    Splits the instances of an epoch among the processes. Each process has its own part of every
    dataset. The parts are taken at the same pace, so that every part has been passed through as
    often as the others, and a full pass over a dataset is one over each of its parts.

        >>> shares = ProcessShares([{"ewt": 3}, {"ewt": 2}], rank=1)
        >>> shares.split("ewt", start=0, count=4)
        [2, 2]
        >>> shares.split("ewt", start=4, count=4)  # the last instance, and three of the next pass
        [3, 1]

    # Parameters

    lengths : `Sequence[Lengths]`
        What each process reads.
    rank : `int`
        The number of this process.
    """

    def __init__(self, lengths: Sequence[Lengths], rank: int) -> None:
        self.rank = rank
        self._lengths = lengths
        self._orders: Dict[str, numpy.ndarray] = {}

    @classmethod
    def gather(cls, lengths: Lengths) -> "ProcessShares":
        """The shares of all processes, each of which calls this with its own lengths."""
        return cls(gather(dict(lengths)), rank())

    @property
    def processes(self) -> int:
        """The number of processes."""
        return len(self._lengths)

    def of(self, task: str) -> List[Optional[int]]:
        """Returns the length of each process's part of a dataset; `None` if it is not known."""
        return [of_process[task] for of_process in self._lengths]

    def total(self, task: str) -> Optional[int]:
        """Returns the length of a dataset, of all processes together; `None` if not known."""
        lengths = [length for length in self.of(task) if length is not None]
        return sum(lengths) if len(lengths) == self.processes else None

    def split(self, task: str, start: int, count: int) -> List[int]:
        """
        Splits the next instances of a dataset.

        # Parameters

        task : `str`
        start : `int`
            The number of instances that all processes together have taken before.
        count : `int`

        # Returns

        `List[int]`
            The number of instances that each process takes. They sum to `count`.
        """
        if self.processes == 1:
            return [count]
        before, after = self._taken(task, start), self._taken(task, start + count)
        return [end - begin for begin, end in zip(before, after)]

    def _taken(self, task: str, position: int) -> List[int]:
        lengths = self.of(task)
        if None in lengths:
            # Of a part of unknown length, each process takes one instance after the other.
            turns = [i for i, length in enumerate(lengths) if length != 0]
            taken = [0] * self.processes
            for turn, i in enumerate(turns):
                taken[i] = (position + len(turns) - 1 - turn) // len(turns)
            return taken
        order = self._order(task)
        passes, rest = divmod(position, max(1, len(order)))
        counts = numpy.bincount(order[:rest], minlength=self.processes)
        return [passes * (length or 0) + int(n) for length, n in zip(lengths, counts)]

    def _order(self, task: str) -> numpy.ndarray:
        """The process of each instance in a pass, spread evenly."""
        if task not in self._orders:
            lengths = [length or 0 for length in self.of(task)]
            times = numpy.concatenate([(numpy.arange(n) + 0.5) / max(1, n) for n in lengths])
            processes = numpy.repeat(numpy.arange(len(lengths)), lengths)
            self._orders[task] = processes[numpy.argsort(times, kind="stable")]
        return self._orders[task]


def with_placeholders(task: str, refs: Iterable[InstanceRef], number: int) -> Iterable[InstanceRef]:
    """Appends placeholders for the instances that other processes have more than this one."""
    if not number:
        return refs
    items = itertools.chain(refs, itertools.repeat(Placeholder(task), number))
    return SizedIterable(items, len(refs) + number) if isinstance(refs, Sized) else items


def without_placeholders(batches: Iterable[List[InstanceRef]]) -> Iterator[List[InstanceRef]]:
    """Removes the placeholders of all batches, some of which may then be empty."""
    for batch in batches:
        yield [ref for ref in batch if not isinstance(ref, Placeholder)]


def in_step(batches: Iterable[List[InstanceRef]]) -> Iterator[List[InstanceRef]]:
    """
    Yields empty batches at the end until no process has batches any more. Before each batch, the
    processes exchange whether they have one: 8 bytes each.
    """
    remaining = iter(batches)
    while True:
        batch = next(remaining, None)
        has_batch = torch.tensor(int(batch is not None), device=distributed_device())
        torch.distributed.all_reduce(has_batch)
        if not has_batch.item():
            return
        yield batch or []
