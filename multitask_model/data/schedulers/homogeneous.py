"""What schedulers have in common whose batches are of one dataset each."""

from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Union

from allennlp.common.checks import ConfigurationError
from overrides import overrides

from multitask_model.data.schedulers.grouping import check_batch_size, count_batches, in_batches
from multitask_model.data.schedulers.scheduler import Scheduler
from multitask_model.errors import check_known, format_names, suggest

Batches = Dict[str, Iterator[List[Any]]]


class HomogeneousScheduler(Scheduler):
    """
    Makes batches of one dataset each. A subclass says in what order they come.

    # Parameters

    batch_size : `Union[int, Dict[str, int]]`
        The number of instances in a batch, for all datasets or for each by its name.
    drop_last : `bool`, optional (default = `False`)
        If `True`, what does not fill a batch at the end of a dataset is left out of the epoch,
        except where it is all that the dataset has in it.

    # Raises

    `ConfigurationError`
        If a batch size is not a whole number of at least 1.
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

    def order(self, batches: Batches, counts: Optional[Mapping[str, int]]) -> Iterable[List[Any]]:
        """
        # Parameters

        batches : `Dict[str, Iterator[List[Any]]]`
            The batches of each dataset, which are made as they are taken.
        counts : `Mapping[str, int]`, optional
            How many there are of each dataset; `None` if one of them has no length.

        # Returns

        `Iterable[List[Any]]`
            All of them.
        """
        raise NotImplementedError

    @overrides
    def batch_instances(self, epoch_instances: Dict[str, Iterable[Any]]) -> Iterable[List[Any]]:
        batches = {
            task: in_batches(items, self.batch_size_of(task), self.drop_last)
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
        if task not in self.batch_size:
            raise ConfigurationError(
                f"batch_size must have a number for every dataset, but it has none for {task!r}."
                f"{suggest(task, self.batch_size)} Its keys: {format_names(self.batch_size)}. Add "
                f"one, "
                "or give one number for all."
            )
        return self.batch_size[task]

    @overrides
    def check_tasks(self, tasks: Sequence[str], known: Optional[Sequence[str]] = None) -> None:
        if isinstance(self.batch_size, Mapping):
            check_known(
                "batch_size", "datasets", self.batch_size, tasks if known is None else known
            )
        for task in tasks:
            self.batch_size_of(task)

    def _count(self, task: str, items: int) -> int:
        return count_batches(items, self.batch_size_of(task), self.drop_last)

    def _counts(self, epoch_instances: Mapping[str, Any]) -> Optional[Dict[str, int]]:
        try:
            return {task: self._count(task, len(items)) for task, items in epoch_instances.items()}
        except TypeError:
            return None
