"""The base class of schedulers."""

import random
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, TypeVar

from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler

T = TypeVar("T")


class Scheduler(MultiTaskScheduler):
    """
    Cuts the instances of an epoch into batches and orders the batches. Extends AllenNLP's
    `MultiTaskScheduler` with hooks that `MultiTaskDataLoader` calls: to check the scheduler at
    construction, to seed it, and to get the size of the buckets of similar length.

    A subclass must implement `batch_instances`, `count_batches` and `batch_size_of`; the other
    methods do nothing by default. It must not read the items that it batches: the loader passes
    references to instances. Register it with `@MultiTaskScheduler.register("name")` to use it in a
    config.

    # Examples

    A scheduler with batches of one instance, all of one dataset before the next:

    >>> from multitask_model.data.schedulers import Scheduler
    >>> class OneByOneScheduler(Scheduler):
    ...     def batch_instances(self, epoch_instances):
    ...         return ([item] for items in epoch_instances.values() for item in items)
    ...     def count_batches(self, dataset_counts):
    ...         return sum(dataset_counts.values())
    ...     def batch_size_of(self, task):
    ...         return 1
    >>> list(OneByOneScheduler().batch_instances({"tweets": ["t0", "t1"], "ewt": ["e0"]}))
    [['t0'], ['t1'], ['e0']]
    """

    def batch_instances(self, epoch_instances: Dict[str, Iterable[T]]) -> Iterable[List[T]]:
        """
        Cuts the items of an epoch into batches.

        # Parameters

        epoch_instances : `Dict[str, Iterable[T]]`
            The items of each task in this epoch. They are read lazily.

        # Returns

        `Iterable[List[T]]`
            The batches.
        """
        raise NotImplementedError

    def count_batches(self, dataset_counts: Dict[str, int]) -> int:
        """Returns the number of batches that `batch_instances` makes, given the items per task."""
        raise NotImplementedError

    def batch_size_of(self, task: str) -> int:
        """Returns the largest number of items of `task` in one batch."""
        raise NotImplementedError

    def check_tasks(self, tasks: Sequence[str], known: Optional[Sequence[str]] = None) -> None:
        """
        Validates the scheduler's parameters. The loader calls this at construction.

        # Parameters

        tasks : `Sequence[str]`
            The tasks that the loader has data for. The scheduler must have parameters for each.
        known : `Sequence[str]`, optional (default = `tasks`)
            The tasks that the scheduler may have parameters for, such as all tasks of the reader.

        # Raises

        `ConfigurationError`
            If a parameter is missing for one of `tasks`, or is given for a task not in `known`.
        """

    def set_random(self, generator: random.Random) -> None:
        """Sets the source of all randomness. The loader calls this before each epoch."""

    def update_from_epoch_metrics(self, epoch_metrics: Mapping[str, object]) -> None:
        """Receives the trainer's metrics after each epoch, from the callback `multitask_data`."""
