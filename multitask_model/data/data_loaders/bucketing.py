"""Buckets of instances of similar length, which reduce padding."""

import random
from itertools import chain
from typing import (
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Sized,
    TypeVar,
)

from allennlp.common.checks import ConfigurationError
from allennlp.common.util import lazy_groups_of
from allennlp.data import Instance
from allennlp.data.fields import SequenceField

from multitask_model.data.data_loaders.instance_streams import InstanceRef, SizedIterable
from multitask_model.data.data_loaders.padding_ratio import field_lengths
from multitask_model.data.data_loaders.task_dataset import TaskDataset
from multitask_model.errors import check_known, format_names, suggest

T = TypeVar("T")


def make_buckets(
    items: Sequence[T],
    lengths: Sequence[int],
    size: int,
    noise: float,
    rng: random.Random,
) -> List[T]:
    """
    Reorders the items so that consecutive buckets of `size` items have similar lengths. The buckets
    are in random order, and so are the items of each bucket.

    # Parameters

    items : `Sequence[T]`
    lengths : `Sequence[int]`
        The length of each item.
    size : `int`
        The number of items in a bucket.
    noise : `float`
        Items are sorted by their length times a random factor between `1 - noise` and `1 + noise`,
        so that the buckets differ from epoch to epoch.
    rng : `random.Random`

    # Returns

    `List[T]`
        All items. The remainder that does not fill a bucket is at the end, and has a random
        position in the order of the lengths.
    """
    order = _sort(lengths, noise, rng)
    rest = len(order) % size
    # If the remainder were always the longest items, `drop_last` would drop no others.
    start = rng.randrange(len(order) // size + 1) * size
    remainder, full = order[start : start + rest], order[:start] + order[start + rest :]
    buckets = [full[i : i + size] for i in range(0, len(full), size)]
    rng.shuffle(buckets)
    for bucket in [*buckets, remainder]:
        rng.shuffle(bucket)
    return [items[i] for bucket in [*buckets, remainder] for i in bucket]


def _sort(lengths: Sequence[int], noise: float, rng: random.Random) -> List[int]:
    """Returns the indices in the order of the lengths with noise."""
    noisy = [length * (1 + noise * rng.uniform(-1, 1)) for length in lengths]
    # Ties are broken at random, so that items of equal length change buckets too.
    return sorted(range(len(lengths)), key=lambda i: (noisy[i], rng.random()))


class LengthBucketer:
    """
    Reorders the instances of a task in an epoch into buckets of similar length.

        >>> from multitask_model.data.dataset_readers.labeled_text import LabeledTextReader
        >>> class TextsReader(LabeledTextReader):
        ...     def _read(self, texts):
        ...         return map(self.text_to_instance, texts)
        >>> dataset = TaskDataset("x", TextsReader({}), ["So so good", "Hi", "Oh no no", "Oh"])
        >>> get = lambda instance: instance
        >>> bucketer = LengthBucketer(["text"], 0.1, {"x": dataset}, {"x": 2}, get)
        >>> reordered = bucketer.reorder("x", dataset.instances, random.Random(0), noisy=True)
        >>> [instance["text"].sequence_length() for instance in reordered]
        [1, 1, 3, 3]

    # Parameters

    sorting_keys : `Sequence[str]`
        The fields whose lengths are summed and compared.
    noise : `float`
        See `make_buckets`.
    datasets : `Mapping[str, TaskDataset]`
    sizes : `Mapping[str, int]`
        The bucket size of each task.
    get_instance : `Callable[[InstanceRef], Instance]`
        Returns the instance of a reference.

    # Raises

    `ConfigurationError`
        If the instances of a task have none of the fields, or no task has one of the fields.
    """

    def __init__(
        self,
        sorting_keys: Sequence[str],
        noise: float,
        datasets: Mapping[str, TaskDataset],
        sizes: Mapping[str, int],
        get_instance: Callable[[InstanceRef], Instance],
    ) -> None:
        for task, dataset in datasets.items():
            if dataset.first is not None:
                _check_fields(sorting_keys, task, dataset.first)
        examples = [d.first for d in datasets.values() if d.first is not None]
        fields = {name for instance in examples for name in instance.fields}
        check_known("sorting_keys", "fields of the instances", sorting_keys, sorted(fields))
        self._sorting_keys = sorting_keys
        self._noise = noise
        self._sizes = sizes
        self._get_instance = get_instance
        self._memory_limits: Dict[str, Optional[int]] = {
            task: dataset.max_instances_in_memory for task, dataset in datasets.items()
        }

    def reorder(
        self, task: str, refs: Iterable[InstanceRef], rng: random.Random, noisy: bool
    ) -> Iterable[InstanceRef]:
        """
        Reorders the instances of `task`: all of them or, for a dataset that is read lazily, groups
        of up to `max_instances_in_memory`. Without `noisy`, no noise is added to the lengths.
        """
        size = self._sizes[task]

        def make(group: List[InstanceRef]) -> List[InstanceRef]:
            return make_buckets(group, self._lengths(group), size, self._noise * noisy, rng)

        items = chain.from_iterable(map(make, self._groups(task, refs)))
        return SizedIterable(items, len(refs)) if isinstance(refs, Sized) else items

    def batches(
        self,
        task: str,
        refs: Iterable[InstanceRef],
        rng: random.Random,
        noisy: bool,
        cut: Callable[[List[InstanceRef]], Iterable[List[InstanceRef]]],
    ) -> Iterator[List[InstanceRef]]:
        """
        Yields batches of similar length, in random order. Sorts the same groups as `reorder`, and
        applies `cut` to each of them.
        """
        for group in self._groups(task, refs):
            order = _sort(self._lengths(group), self._noise * noisy, rng)
            batches = list(cut([group[i] for i in order]))
            rng.shuffle(batches)
            yield from batches

    def _groups(self, task: str, refs: Iterable[InstanceRef]) -> Iterator[List[InstanceRef]]:
        size, limit = self._sizes[task], self._memory_limits[task]
        if limit is None:
            return iter([list(refs)])
        return lazy_groups_of(refs, max(size, limit // size * size))

    def _lengths(self, refs: List[InstanceRef]) -> List[int]:
        instances = map(self._get_instance, refs)
        return [sum(field_lengths(i, self._sorting_keys).values()) for i in instances]


def _check_fields(sorting_keys: Sequence[str], task: str, instance: Instance) -> None:
    fields: Dict[str, object] = dict(instance.fields)
    sequences = [name for name, field in fields.items() if isinstance(field, SequenceField)]
    if not set(sorting_keys) & set(sequences):
        suggestion = suggest(sorting_keys[0] if sorting_keys else "", sequences)
        raise ConfigurationError(
            f"sorting_keys must name at least one sequence field of the dataset {task!r}, but got "
            f"{format_names(sorting_keys)}.{suggestion} Its sequence fields: "
            f"{format_names(sequences)}."
        )
