"""The `homogeneous_roundrobin` scheduler."""

from typing import Dict, Iterable, Iterator, List, Mapping, Optional, TypeVar

from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler
from overrides import overrides

from multitask_model.compat.allennlp_internals import register_in_place
from multitask_model.data.schedulers.grouping import round_robin
from multitask_model.data.schedulers.homogeneous import HomogeneousScheduler

T = TypeVar("T")


@register_in_place(MultiTaskScheduler, "homogeneous_roundrobin")
class HomogeneousRoundRobinScheduler(HomogeneousScheduler):
    """
    Takes one batch of each dataset in turn. Datasets that are exhausted are skipped, so the end of
    an epoch has only batches of the largest dataset. The scheduler `shuffled` avoids this.

    Equals AllenNLP's scheduler of the same name, except that `drop_last` never drops the
    only batch of a dataset.

    Registered as a `MultiTaskScheduler` with name "homogeneous_roundrobin". See
    `HomogeneousScheduler` for its parameters.

    # Examples

    >>> from multitask_model.data.schedulers import HomogeneousRoundRobinScheduler
    >>> scheduler = HomogeneousRoundRobinScheduler(batch_size=2)
    >>> list(scheduler.batch_instances({"tweets": ["t0", "t1", "t2"], "ewt": ["e0", "e1"]}))
    [['t0', 't1'], ['e0', 'e1'], ['t2']]
    """

    @overrides
    def order(
        self, batches: Dict[str, Iterator[List[T]]], counts: Optional[Mapping[str, int]]
    ) -> Iterable[List[T]]:
        return round_robin(list(batches.values()))
