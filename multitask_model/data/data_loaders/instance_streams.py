"""Where the instances of a dataset come from: pass after pass over it, from where it was left."""

import random
from typing import Any, Dict, Generic, Iterable, Iterator, List, Optional, Tuple, TypeVar, Union

from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance

from multitask_model.data.data_loaders.task_dataset import TaskDataset

InstanceRef = Union[Tuple[str, int], Instance]
"""Stands for an instance: its dataset and its place in memory, or itself if it is read lazily."""

_Item = TypeVar("_Item")


class SizedIterable(Generic[_Item]):
    """So many items, which are not there before they are needed."""

    def __init__(self, items: Iterable[_Item], length: int) -> None:
        self._items = items
        self._length = length

    def __iter__(self) -> Iterator[_Item]:
        return iter(self._items)

    def __len__(self) -> int:
        return self._length


class Stream:
    """
    The instances of one dataset, pass after pass, each in an order of its own. That of pass p is a
    function of `seed`, the name of the dataset and p, so a position, which is all there is to be
    saved, says what comes next.

    # Parameters

    task : `str`
    loader : `TaskDataset`
    seed : `int`
    shuffle : `bool`
        For lazily read datasets, among as many instances as are held in memory.
    """

    def __init__(self, task: str, loader: TaskDataset, seed: int, shuffle: bool) -> None:
        self._task = task
        self._loader = loader
        self._seed = seed
        self._shuffle = shuffle
        self._pass = 0
        self._done = 0

    @property
    def position(self) -> List[int]:
        """The number of the pass under way, and how many instances of it were taken."""
        return [self._pass, self._done]

    def move_to(self, position: List[int], seed: int) -> None:
        self._pass, self._done = position
        self._seed = seed

    def rest_of_pass(self) -> int:
        """How many instances of the pass are left. `TypeError` if nobody knows."""
        return len(self._loader) - self._done

    def take(self, count: Optional[int]) -> Iterable[InstanceRef]:
        """
        The next `count` instances, by default the rest of the pass. If their number is known the
        result has a length.
        """
        raise NotImplementedError

    def whole(self, number: str, shuffle: bool) -> Iterable[InstanceRef]:
        """All instances once, without moving. `number` makes for the order if they are shuffled."""
        raise NotImplementedError

    def _draw(self, number: Any) -> random.Random:
        return random.Random(f"{self._seed}/{self._task}/{number}")


class MemoryStream(Stream):
    """Of a dataset in memory. Taking moves the position at once, whatever is made of the result."""

    def take(self, count: Optional[int]) -> Iterable[InstanceRef]:
        size = len(self._loader)
        count = self.rest_of_pass() if count is None else count
        keys = self._keys(self._pass, self._done, count)
        passes, self._done = divmod(self._done + count, size)
        self._pass += passes
        return SizedIterable(keys, count)

    def whole(self, number: str, shuffle: bool) -> Iterable[InstanceRef]:
        return [(self._task, i) for i in self._order(number, shuffle)]

    def _keys(self, number: int, start: int, count: int) -> Iterator[InstanceRef]:
        while count > 0:
            part = self._order(number, self._shuffle)[start : start + count]
            yield from ((self._task, i) for i in part)
            number, start, count = number + 1, 0, count - len(part)

    def _order(self, number: Any, shuffle: bool) -> List[int]:
        order = list(range(len(self._loader)))
        if shuffle:
            self._draw(number).shuffle(order)
        return order


class LazyStream(Stream):
    """
    Of a dataset that is read again in each pass. The position moves as instances are taken, and the
    reading goes on where it stopped. In order to move to a position, it reads up to there.
    """

    _reading: Optional[Iterator[Instance]] = None

    def __getstate__(self) -> Dict[str, Any]:
        return {**self.__dict__, "_reading": None}  # the position says where to go on

    def move_to(self, position: List[int], seed: int) -> None:
        super().move_to(position, seed)
        self._reading = None

    def take(self, count: Optional[int]) -> Iterable[InstanceRef]:
        return self._rest() if count is None else SizedIterable(self._next(count), count)

    def whole(self, number: str, shuffle: bool) -> Iterator[InstanceRef]:
        instances = self._loader.iter_instances()
        if shuffle:
            return shuffle_buffer(instances, self._loader.pool_size or 1, self._draw(number))
        return instances

    def _rest(self) -> Iterator[InstanceRef]:
        position = self.position
        # At once, so that a second epoch is another one even if this one is not read to its end.
        self._pass, self._done, self._reading = self._pass + 1, 0, None
        return self._from(*position)

    def _from(self, number: int, done: int) -> Iterator[Instance]:
        instances: Any = self.whole(str(number), self._shuffle)
        for skipped, instance in enumerate(instances):
            if skipped >= done:
                yield instance

    def _next(self, count: int) -> Iterator[InstanceRef]:
        while count > 0:
            if self._reading is None:
                self._reading = self._from(self._pass, self._done)
            instance = next(self._reading, None)
            if instance is None:
                self._next_pass()
            else:
                self._done += 1
                count -= 1
                yield instance

    def _next_pass(self) -> None:
        if self._done == 0:
            raise ConfigurationError(
                f"A dataset must have instances in every pass, but {self._task!r} had none in pass "
                f"{self._pass + 1}. See to it that its file stays as it is and that its reader "
                "reads it anew each time."
            )
        self._pass, self._done, self._reading = self._pass + 1, 0, None


def shuffle_buffer(items: Iterable[_Item], size: int, rng: random.Random) -> Iterator[_Item]:
    """The items, each drawn from a pool of `size` that is filled up in their order."""
    pool: List[_Item] = []
    for item in items:
        if len(pool) < size:
            pool.append(item)
        else:
            i = rng.randrange(size)
            pool[i], item = item, pool[i]
            yield item
    rng.shuffle(pool)
    yield from pool
