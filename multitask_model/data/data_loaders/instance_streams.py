"""Streams of the instances of one dataset, pass after pass, that can be resumed."""

import random
from typing import (
    Dict,
    Generic,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Tuple,
    TypeVar,
    Union,
)

from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance

from multitask_model.data.data_loaders.task_dataset import TaskDataset
from multitask_model.data.pass_fields import instance_at_pass


class PassRef(NamedTuple):
    """A reference to an instance that changes from pass to pass: see `instance_at_pass`."""

    task: str
    position: int
    label: str


class Placeholder(NamedTuple):
    """
    Stands for an instance that another process of distributed training has. With it, all processes
    make the same batches, of which each then takes its own instances.

        >>> from multitask_model.data.data_loaders.process_shares import without_placeholders
        >>> list(without_placeholders([[("ewt", 0), Placeholder("ewt")], [Placeholder("ewt")]]))
        [[('ewt', 0)], []]
    """

    task: str


InstanceRef = Union[Tuple[str, int], PassRef, Placeholder, Instance]
"""
A reference to an instance: its task and its index in memory, and its pass if it changes from pass
to pass; or, if its dataset is read lazily, the instance itself.
"""

T = TypeVar("T")


class SizedIterable(Generic[T]):
    """
    An iterable that is evaluated lazily and has a length.

        >>> squares = SizedIterable((i * i for i in range(3)), 3)
        >>> len(squares), list(squares)
        (3, [0, 1, 4])
    """

    def __init__(self, items: Iterable[T], length: int) -> None:
        self._items = items
        self._length = length

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)

    def __len__(self) -> int:
        return self._length


class Stream:
    """
    The instances of one dataset, pass after pass, each pass in another random order. The order of a
    pass depends on `seed`, `task` and the number of the pass only, so a position is all that a
    checkpoint needs.

    # Parameters

    task : `str`
    dataset : `TaskDataset`
    seed : `int`
    shuffle : `bool`
        Whether to shuffle each pass. A dataset that is read lazily is shuffled approximately, with
        a buffer of `max_instances_in_memory` instances.
    """

    def __init__(self, task: str, dataset: TaskDataset, seed: int, shuffle: bool) -> None:
        self._task = task
        self._dataset = dataset
        self._seed = seed
        self._shuffle = shuffle
        self._pass = 0
        self._done = 0

    @property
    def position(self) -> List[int]:
        """The number of the current pass, and how many of its instances were taken."""
        return [self._pass, self._done]

    def move_to(self, position: List[int], seed: int) -> None:
        """Resumes from a position of a stream with the given seed."""
        self._pass, self._done = position
        self._seed = seed

    def remaining(self) -> int:
        """
        Returns the number of instances that remain in the current pass. Raises `TypeError` if the
        dataset has no length.
        """
        return len(self._dataset) - self._done

    def take(self, count: Optional[int]) -> Iterable[InstanceRef]:
        """
        Returns the next `count` instances or, with `None`, the remaining instances of the current
        pass. The result has a length if it is known.
        """
        raise NotImplementedError

    def full_pass(self, label: str, shuffle: bool) -> Iterable[InstanceRef]:
        """
        Returns all instances once, without a change of the position. With `shuffle`, the order
        depends on `label`.
        """
        raise NotImplementedError

    def _label(self, number: int) -> str:
        return f"{self._seed}/{number}"

    def _rng(self, label: object) -> random.Random:
        return random.Random(f"{self._seed}/{self._task}/{label}")


class MemoryStream(Stream):
    """
    A stream of a dataset in memory. `take` moves the position at once.

        >>> from multitask_model.data.dataset_readers.labeled_text import LabeledTextReader
        >>> class TextsReader(LabeledTextReader):
        ...     def _read(self, texts):
        ...         return map(self.text_to_instance, texts)
        >>> dataset = TaskDataset("tweets", TextsReader({}), ["So good", "Hi", "Bye"])
        >>> stream = MemoryStream("tweets", dataset, seed=0, shuffle=False)
        >>> list(stream.take(2)), list(stream.take(2)), stream.position
        ([('tweets', 0), ('tweets', 1)], [('tweets', 2), ('tweets', 0)], [1, 1])
    """

    def take(self, count: Optional[int]) -> Iterable[InstanceRef]:
        size = len(self._dataset)
        count = self.remaining() if count is None else count
        refs = self._refs(self._pass, self._done, count)
        passes, self._done = divmod(self._done + count, max(1, size))
        self._pass += passes
        return SizedIterable(refs, count)

    def full_pass(self, label: str, shuffle: bool) -> Iterable[InstanceRef]:
        return [(self._task, i) for i in self._order(label, shuffle)]

    def _refs(self, number: int, start: int, count: int) -> Iterator[InstanceRef]:
        while count > 0:
            indices = self._order(number, self._shuffle)[start : start + count]
            yield from (self._ref(i, number) for i in indices)
            number, start, count = number + 1, 0, count - len(indices)

    def _ref(self, index: int, number: int) -> InstanceRef:
        if self._dataset.changes_each_pass:
            return PassRef(self._task, index, self._label(number))
        return self._task, index

    def _order(self, label: object, shuffle: bool) -> List[int]:
        order = list(range(len(self._dataset)))
        if shuffle:
            self._rng(label).shuffle(order)
        return order


class LazyStream(Stream):
    """
    A stream of a dataset that is read again in each pass. The position moves as instances are
    taken. Moving to a position reads and skips the instances before it.

        >>> from multitask_model.data.dataset_readers.labeled_text import LabeledTextReader
        >>> class TextsReader(LabeledTextReader):
        ...     def _read(self, texts):
        ...         return map(self.text_to_instance, texts)
        >>> dataset = TaskDataset(
        ...     "tweets", TextsReader({}), ["So good", "Hi"], max_instances_in_memory=1
        ... )
        >>> stream = LazyStream("tweets", dataset, seed=0, shuffle=False)
        >>> [instance["text"].tokens for instance in stream.take(3)], stream.position
        ([[So, good], [Hi], [So, good]], [1, 1])
    """

    _reading: Optional[Iterator[Instance]] = None

    def __getstate__(self) -> Dict[str, object]:
        return {**self.__dict__, "_reading": None}  # an iterator cannot be copied or pickled

    def move_to(self, position: List[int], seed: int) -> None:
        super().move_to(position, seed)
        self._reading = None

    def take(self, count: Optional[int]) -> Iterable[InstanceRef]:
        if count is None:
            return self._take_remaining()
        return SizedIterable(self._take(count), count)

    def full_pass(self, label: str, shuffle: bool) -> Iterator[Instance]:
        instances = self._dataset.iter_instances()
        if shuffle:
            buffer_size = self._dataset.max_instances_in_memory or 1
            return shuffle_buffer(instances, buffer_size, self._rng(label))
        return instances

    def _take_remaining(self) -> Iterator[InstanceRef]:
        number, done = self.position
        # The position moves at once, so that the next epoch differs even if this one is not
        # finished.
        self._next_pass()
        return self._read(number, done)

    def _read(self, number: int, done: int) -> Iterator[Instance]:
        for i, instance in enumerate(self.full_pass(str(number), self._shuffle)):
            if i >= done:
                yield self._at_pass(instance, number)

    def _at_pass(self, instance: Instance, number: int) -> Instance:
        if self._dataset.changes_each_pass:
            return instance_at_pass(instance, self._label(number), self._dataset.vocab)
        return instance

    def _take(self, count: int) -> Iterator[InstanceRef]:
        while count > 0:
            if self._reading is None:
                self._reading = self._read(self._pass, self._done)
            instance = next(self._reading, None)
            if instance is None:
                self._check_not_empty()
                self._next_pass()
            else:
                self._done += 1
                count -= 1
                yield instance

    def _check_not_empty(self) -> None:
        if self._done == 0:
            raise ConfigurationError(
                f"Every pass over a dataset must have at least one instance, but got none of "
                f"{self._task!r} in pass {self._pass + 1}. Do not change its file during training, "
                "and let its reader read the file again in each call of read."
            )

    def _next_pass(self) -> None:
        self._pass, self._done, self._reading = self._pass + 1, 0, None


def shuffle_buffer(items: Iterable[T], size: int, rng: random.Random) -> Iterator[T]:
    """Shuffles items approximately: yields random items from a buffer of the next `size` items."""
    buffer: List[T] = []
    for item in items:
        if len(buffer) < size:
            buffer.append(item)
        else:
            i = rng.randrange(size)
            buffer[i], item = item, buffer[i]
            yield item
    rng.shuffle(buffer)
    yield from buffer
