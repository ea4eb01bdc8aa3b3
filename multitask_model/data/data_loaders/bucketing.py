"""Instances of like length next to one another, so that batches need little padding."""

import random
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Sequence, Sized

from allennlp.common.checks import ConfigurationError
from allennlp.common.util import lazy_groups_of
from allennlp.data import Instance
from allennlp.data.fields import SequenceField

from multitask_model.data.data_loaders.instance_streams import InstanceRef, SizedIterable
from multitask_model.data.data_loaders.padding_ratio import lengths_of
from multitask_model.data.data_loaders.task_dataset import TaskDataset
from multitask_model.errors import check_known, format_names, suggest


def make_buckets(
    items: Sequence[Any],
    lengths: Sequence[int],
    size: int,
    noise: float,
    rng: random.Random,
) -> List[Any]:
    """
    The items in another order: cut into buckets of `size` from the beginning, each has items of
    about the same length. The order of the buckets is random, and that within one too.

    # Parameters

    items : `Sequence[Any]`
    lengths : `Sequence[int]`
        One for each item.
    size : `int`
    noise : `float`
        Each length counts as if it were changed by up to this share of it, at random, so that the
        same items do not always come together.
    rng : `random.Random`

    # Returns

    `List[Any]`
        If they do not fill all the buckets, the last one is short, and may be of any length.
    """
    noisy = [length * (1 + noise * rng.uniform(-1, 1)) for length in lengths]
    # Of equal lengths it must not always be the same that come together.
    order = sorted(range(len(items)), key=lambda i: (noisy[i], rng.random()))
    rest = len(order) % size
    # Were it always the longest that are left over, `drop_last` would drop no others.
    start = rng.randrange(len(order) // size + 1) * size
    short, full = order[start : start + rest], order[:start] + order[start + rest :]
    buckets = [full[i : i + size] for i in range(0, len(full), size)]
    rng.shuffle(buckets)
    for bucket in [*buckets, short]:
        rng.shuffle(bucket)
    return [items[i] for bucket in [*buckets, short] for i in bucket]


class Buckets:
    """
    Puts what a task has of an epoch into buckets.

    # Parameters

    names : `Sequence[str]`
        The fields whose lengths count, together if there are several.
    noise : `float`
    loaders : `Mapping[str, TaskDataset]`
    sizes : `Mapping[str, int]`
        Of the buckets of each task.
    instance_of : `Callable`
        The instance of a key.

    # Raises

    `ConfigurationError`
        If a task has none of the fields, or one of them has no length.
    """

    def __init__(
        self,
        names: Sequence[str],
        noise: float,
        loaders: Mapping[str, TaskDataset],
        sizes: Mapping[str, int],
        instance_of: Callable[[InstanceRef], Instance],
    ) -> None:
        for task, loader in loaders.items():
            _check_fields(names, task, loader.first)
        fields = {name for loader in loaders.values() for name in loader.first.fields}
        check_known("sorting_keys", "fields of the instances", names, sorted(fields))
        self._names = names
        self._noise = noise
        self._sizes = sizes
        self._instance_of = instance_of
        self._pools = {task: loader.pool_size for task, loader in loaders.items()}

    def order(
        self, task: str, share: Iterable[InstanceRef], rng: random.Random
    ) -> Iterable[InstanceRef]:
        """All of the share together, or as much as is held in memory at a time."""
        size, pool = self._sizes[task], self._pools[task]
        if pool is None:
            return self._in_buckets(list(share), size, rng)
        groups = lazy_groups_of(share, max(size, pool // size * size))
        items = self._each_in_buckets(groups, size, rng)
        return SizedIterable(items, len(share)) if isinstance(share, Sized) else items

    def _each_in_buckets(
        self, groups: Iterable[List[InstanceRef]], size: int, rng: random.Random
    ) -> Iterator[InstanceRef]:
        for group in groups:
            yield from self._in_buckets(group, size, rng)

    def _in_buckets(
        self, keys: List[InstanceRef], size: int, rng: random.Random
    ) -> List[InstanceRef]:
        instances = map(self._instance_of, keys)
        lengths = [sum(lengths_of(instance, self._names).values()) for instance in instances]
        return make_buckets(keys, lengths, size, self._noise, rng)


def _check_fields(names: Sequence[str], task: str, instance: Instance) -> None:
    fields: Dict[str, Any] = dict(instance.fields)
    sequences = [name for name, field in fields.items() if isinstance(field, SequenceField)]
    if not set(names) & set(sequences):
        raise ConfigurationError(
            f"sorting_keys must name a field with a length that the instances of {task!r} have, "
            f"but "
            f"it is {format_names(names)}.{suggest(names[0] if names else '', sequences)} Their "
            f"fields "
            f"with a length: {format_names(sequences)}."
        )
