"""The `homogeneous_roundrobin` scheduler."""

from typing import Any, Iterable, List, Mapping, Optional

from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler
from overrides import overrides

from multitask_model.data.schedulers.grouping import round_robin
from multitask_model.data.schedulers.homogeneous import Batches, HomogeneousScheduler


@MultiTaskScheduler.register("homogeneous_roundrobin", exist_ok=True)
class HomogeneousRoundRobinScheduler(HomogeneousScheduler):
    """
    A batch of one dataset, then one of the next, and so on. When a dataset has run out, the others
    go on, so one that is much larger has the end of the epoch for itself. `shuffled` mends that.

    As AllenNLP's scheduler of that name, except that `drop_last` leaves no dataset out.

    Registered as a `MultiTaskScheduler` with name "homogeneous_roundrobin". For its parameters see
    `HomogeneousScheduler`.
    """

    @overrides
    def order(self, batches: Batches, counts: Optional[Mapping[str, int]]) -> Iterable[List[Any]]:
        return round_robin(list(batches.values()))
