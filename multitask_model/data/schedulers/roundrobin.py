"""The `roundrobin` scheduler."""

from typing import Dict, Iterable, List, TypeVar

from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler
from overrides import overrides

from multitask_model.compat.allennlp_internals import register_in_place
from multitask_model.data.schedulers.grouping import (
    check_batch_size,
    count_batches,
    round_robin,
    split_into_batches,
)
from multitask_model.data.schedulers.scheduler import Scheduler

T = TypeVar("T")


@register_in_place(MultiTaskScheduler, "roundrobin")
class RoundRobinScheduler(Scheduler):
    """
    Takes one instance of each dataset in turn and cuts the result into mixed batches. Datasets that
    are exhausted are skipped.

    Equals AllenNLP's scheduler of the same name, except that `drop_last` never drops the only batch
    of an epoch.

    Registered as a `MultiTaskScheduler` with name "roundrobin".

    # Parameters

    batch_size : `int`
        The number of instances in a batch, of all datasets together.
    drop_last : `bool`, optional (default = `False`)
        If `True`, the last batch of an epoch is dropped if it is not full, unless it is the only
        batch.

    # Raises

    `ConfigurationError`
        If `batch_size` is not an integer of at least 1.

    # Examples

    >>> from multitask_model.data.schedulers import RoundRobinScheduler
    >>> scheduler = RoundRobinScheduler(batch_size=2)
    >>> list(scheduler.batch_instances({"tweets": ["t0", "t1", "t2"], "ewt": ["e0", "e1"]}))
    [['t0', 'e0'], ['t1', 'e1'], ['t2']]
    """

    def __init__(self, batch_size: int, drop_last: bool = False) -> None:
        super().__init__()
        check_batch_size(batch_size)
        self.batch_size = batch_size
        self.drop_last = drop_last

    @overrides
    def batch_instances(self, epoch_instances: Dict[str, Iterable[T]]) -> Iterable[List[T]]:
        items = round_robin(list(epoch_instances.values()))
        return split_into_batches(items, self.batch_size, self.drop_last)

    @overrides
    def count_batches(self, dataset_counts: Dict[str, int]) -> int:
        return count_batches(sum(dataset_counts.values()), self.batch_size, self.drop_last)

    @overrides
    def batch_size_of(self, task: str) -> int:
        return self.batch_size
