"""The `roundrobin` scheduler."""

from typing import Any, Dict, Iterable, List

from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler
from overrides import overrides

from multitask_model.data.schedulers.grouping import (
    check_batch_size,
    count_batches,
    in_batches,
    round_robin,
)
from multitask_model.data.schedulers.scheduler import Scheduler


@MultiTaskScheduler.register("roundrobin", exist_ok=True)
class RoundRobinScheduler(Scheduler):
    """
    An instance of one dataset, then one of the next, and so on, cut into batches. So every batch is
    as mixed as can be. When a dataset has run out, the others go on.

    As AllenNLP's scheduler of that name, except that `drop_last` leaves no epoch without a batch.

    Registered as a `MultiTaskScheduler` with name "roundrobin".

    # Parameters

    batch_size : `int`
        The number of instances in a batch, of all datasets together.
    drop_last : `bool`, optional (default = `False`)
        If `True`, what does not fill a batch at the end is left out of the epoch, except where it
        is all that the epoch has.

    # Raises

    `ConfigurationError`
        If `batch_size` is not a whole number of at least 1.
    """

    def __init__(self, batch_size: int, drop_last: bool = False) -> None:
        super().__init__()
        check_batch_size(batch_size)
        self.batch_size = batch_size
        self.drop_last = drop_last

    @overrides
    def batch_instances(self, epoch_instances: Dict[str, Iterable[Any]]) -> Iterable[List[Any]]:
        items = round_robin(list(epoch_instances.values()))
        return in_batches(items, self.batch_size, self.drop_last)

    @overrides
    def count_batches(self, dataset_counts: Dict[str, int]) -> int:
        return count_batches(sum(dataset_counts.values()), self.batch_size, self.drop_last)

    @overrides
    def batch_size_of(self, task: str) -> int:
        return self.batch_size
