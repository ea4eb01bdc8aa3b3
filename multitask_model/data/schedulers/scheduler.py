"""What every scheduler of this library can do."""

import random
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence

from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler


class Scheduler(MultiTaskScheduler):
    """
    AllenNLP's `MultiTaskScheduler`, which makes the batches of an epoch and puts them in order,
    with what a loader needs to check it early, to seed it, and to know how many instances it may
    put together that are of like length. The items may be anything that stands for an instance.

    A scheduler of your own needs the three methods that raise `NotImplementedError` here. Register
    it, as with AllenNLP's, by `@MultiTaskScheduler.register("name")`.
    """

    def batch_instances(self, epoch_instances: Dict[str, Iterable[Any]]) -> Iterable[List[Any]]:
        """
        # Parameters

        epoch_instances : `Dict[str, Iterable[Any]]`
            The items of each task in this epoch. They are taken as they are needed.

        # Returns

        `Iterable[List[Any]]`
            The batches.
        """
        raise NotImplementedError

    def count_batches(self, dataset_counts: Dict[str, int]) -> int:
        """How many batches `batch_instances` makes of so many items of each task."""
        raise NotImplementedError

    def batch_size_of(self, task: str) -> int:
        """The largest number of items of the task that go into one batch."""
        raise NotImplementedError

    def check_tasks(self, tasks: Sequence[str], known: Optional[Sequence[str]] = None) -> None:
        """
        Called when a loader is made.

        # Parameters

        tasks : `Sequence[str]`
            The tasks that the loader has data for: what the scheduler must know about.
        known : `Sequence[str]`, optional (default = `tasks`)
            The tasks that the scheduler may know about, such as all those of the reader.

        # Raises

        `ConfigurationError`
            If the scheduler lacks something for one of `tasks`, or has something for a task that
            is not in `known`.
        """

    def set_random(self, generator: random.Random) -> None:
        """Called by the loader before each epoch. What is random in the epoch is drawn from it."""

    def update_from_epoch_metrics(self, epoch_metrics: Mapping[str, Any]) -> None:
        """Called after each epoch by the trainer callback `multitask_data`, with all metrics."""
