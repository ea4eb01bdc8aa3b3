"""Use of any scheduler, also one that was written for AllenNLP's data loader."""

import copy
from collections import deque
from typing import Callable, Deque, Dict, Iterable, Iterator, List, Mapping, Sized, TypeVar, cast

from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance
from allennlp.data.data_loaders import multitask_scheduler
from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler

from multitask_model.data.data_loaders.instance_streams import InstanceRef, SizedIterable
from multitask_model.data.schedulers import Scheduler

T = TypeVar("T", bound=MultiTaskScheduler)

# AllenNLP's schedulers do not read the instances, so they can batch references. Other classes,
# including subclasses of these, may read them, so they get the instances.
_SCHEDULERS_OF_REFS = (
    multitask_scheduler.RoundRobinScheduler,
    multitask_scheduler.HomogeneousRoundRobinScheduler,
)


def reads_instances(scheduler: MultiTaskScheduler) -> bool:
    """Whether a scheduler may read what it batches, so that it is given the instances."""
    return not isinstance(scheduler, Scheduler) and type(scheduler) not in _SCHEDULERS_OF_REFS


def batch_refs(
    scheduler: MultiTaskScheduler,
    refs: Dict[str, Iterable[InstanceRef]],
    get_instance: Callable[[InstanceRef], Instance],
) -> Iterable[List[InstanceRef]]:
    """
    Batches references to instances. A scheduler that may read what it batches is given the
    instances.

    # Parameters

    scheduler : `MultiTaskScheduler`
    refs : `Dict[str, Iterable[InstanceRef]]`
        The references of each task in an epoch.
    get_instance : `Callable[[InstanceRef], Instance]`
        Returns the instance of a reference.
    """
    if reads_instances(scheduler):
        return _batch_instances(scheduler, refs, get_instance)
    return cast(Scheduler, scheduler).batch_instances(refs)


def _batch_instances(
    scheduler: MultiTaskScheduler,
    refs: Dict[str, Iterable[InstanceRef]],
    get_instance: Callable[[InstanceRef], Instance],
) -> Iterator[List[InstanceRef]]:
    refs_by_id: Dict[int, Deque[InstanceRef]] = {}
    last: Dict[int, InstanceRef] = {}

    def remember(ref: InstanceRef) -> Instance:
        instance = get_instance(ref)
        if isinstance(ref, tuple):  # the instance stays in memory, so its id stays unique
            refs_by_id.setdefault(id(instance), deque()).append(ref)
        return instance

    def recall(instance: Instance) -> InstanceRef:
        refs = refs_by_id.get(id(instance))
        if refs:
            last[id(instance)] = refs.popleft()  # there is one for each pass in the epoch
        return last.get(id(instance), instance)  # a scheduler may repeat an instance

    instances: Dict[str, Iterable[Instance]] = {}
    for task, of_task in refs.items():
        mapped = map(remember, of_task)
        instances[task] = (
            SizedIterable(mapped, len(of_task)) if isinstance(of_task, Sized) else mapped
        )
    for batch in scheduler.batch_instances(instances):
        yield [recall(instance) for instance in batch]


def without_drop_last(scheduler: T) -> T:
    """Returns the scheduler or, if it has `drop_last`, a copy without it, for evaluation."""
    if not getattr(scheduler, "drop_last", False):
        return scheduler
    scheduler = copy.copy(scheduler)
    vars(scheduler)["drop_last"] = False
    return scheduler


def batch_size_of(scheduler: MultiTaskScheduler, task: str) -> int:
    """
    Returns the largest number of instances of a task in one batch: `batch_size_of(task)` of the
    scheduler if it has this method, and otherwise its `batch_size`.

    # Raises

    `ConfigurationError`
        If the scheduler has neither for this task.
    """
    if hasattr(scheduler, "batch_size_of"):
        return int(scheduler.batch_size_of(task))
    sizes: object = getattr(scheduler, "batch_size", None)
    try:
        size = sizes[task] if isinstance(sizes, Mapping) else sizes
    except KeyError:
        size = None
    if not isinstance(size, int):
        raise ConfigurationError(
            f"The scheduler must have a batch size for every dataset, but got batch_size={sizes!r} "
            f"of {type(scheduler).__name__}, without one for {task!r}. Add it, or add a method "
            "batch_size_of(task) to the class."
        )
    return size
