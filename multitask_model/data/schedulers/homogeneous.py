"""The base class of schedulers with one dataset per batch."""

from typing import (
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Sequence,
    Sized,
    TypeVar,
    Union,
    cast,
)

from overrides import overrides

from multitask_model.data.schedulers.grouping import (
    check_batch_size,
    count_batches,
    split_into_batches,
)
from multitask_model.data.schedulers.scheduler import Scheduler
from multitask_model.data.value_checks import check_keys

T = TypeVar("T")


class HomogeneousScheduler(Scheduler):
    """
    Makes batches of one dataset each. A subclass implements `order`.

    # Parameters

    batch_size : `Union[int, Dict[str, int]]`
        The number of instances in a batch: one value for all datasets, or one per dataset.
    drop_last : `bool`, optional (default = `False`)
        If `True`, the last batch of a dataset is dropped from the epoch if it is not full, unless
        it is the dataset's only batch.

    # Raises

    `ConfigurationError`
        If a batch size is not an integer of at least 1.

    # Examples

    A scheduler that finishes one dataset before it starts the next:

    >>> from multitask_model.data.schedulers import HomogeneousScheduler
    >>> class SequentialScheduler(HomogeneousScheduler):
    ...     def order(self, batches, counts):
    ...         for of_task in batches.values():
    ...             yield from of_task
    >>> scheduler = SequentialScheduler(batch_size={"tweets": 2, "ewt": 1})
    >>> list(scheduler.batch_instances({"tweets": ["t0", "t1", "t2"], "ewt": ["e0"]}))
    [['t0', 't1'], ['t2'], ['e0']]
    """

    def __init__(self, batch_size: Union[int, Dict[str, int]], drop_last: bool = False) -> None:
        super().__init__()
        self.batch_size: Union[int, Mapping[str, int]] = batch_size
        if isinstance(batch_size, Mapping):
            for task, size in batch_size.items():
                check_batch_size(size, f"The batch_size of the dataset {task!r}")
            self.batch_size = dict(batch_size)
        else:
            check_batch_size(batch_size)
        self.drop_last = drop_last

    def order(
        self, batches: Dict[str, Iterator[List[T]]], counts: Optional[Mapping[str, int]]
    ) -> Iterable[List[T]]:
        """
        Returns all batches in the order of the epoch.

        # Parameters

        batches : `Dict[str, Iterator[List[T]]]`
            The batches of each dataset, made lazily.
        counts : `Mapping[str, int]`, optional
            The number of batches of each dataset, or `None` if a dataset has no length.
        """
        raise NotImplementedError

    @overrides
    def batch_instances(self, epoch_instances: Dict[str, Iterable[T]]) -> Iterable[List[T]]:
        batches = {
            task: split_into_batches(items, self.batch_size_of(task), self.drop_last)
            for task, items in epoch_instances.items()
        }
        return self.order(batches, self._counts(epoch_instances))

    @overrides
    def count_batches(self, dataset_counts: Dict[str, int]) -> int:
        return sum(self._count(task, items) for task, items in dataset_counts.items())

    @overrides
    def batch_size_of(self, task: str) -> int:
        if not isinstance(self.batch_size, Mapping):
            return self.batch_size
        check_keys("batch_size", self.batch_size, [task], known=list(self.batch_size))
        return self.batch_size[task]

    @overrides
    def check_tasks(self, tasks: Sequence[str], known: Optional[Sequence[str]] = None) -> None:
        if isinstance(self.batch_size, Mapping):
            check_keys("batch_size", self.batch_size, tasks, known)

    def _count(self, task: str, items: int) -> int:
        return count_batches(items, self.batch_size_of(task), self.drop_last)

    def _counts(self, epoch_instances: Mapping[str, object]) -> Optional[Dict[str, int]]:
        try:
            lengths = {task: len(cast(Sized, items)) for task, items in epoch_instances.items()}
        except TypeError:  # a dataset has no length
            return None
        return {task: self._count(task, length) for task, length in lengths.items()}
