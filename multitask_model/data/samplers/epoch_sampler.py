"""What every sampler of this library can do."""

from typing import Any, Dict, Mapping, Optional, Sequence, Sized

from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler


class EpochSampler(MultiTaskEpochSampler):
    """
    AllenNLP's `MultiTaskEpochSampler`, which says what share of an epoch each task gets, with what
    a loader needs to check it early, to tell it the epoch and to keep its state in a checkpoint.

    A sampler of your own needs nothing but `get_task_proportions`. Register it, as with AllenNLP's,
    by `@MultiTaskEpochSampler.register("name")`.
    """

    def get_task_proportions(self, data_loaders: Mapping[str, Sized]) -> Dict[str, float]:
        """
        # Parameters

        data_loaders : `Mapping[str, Sized]`
            What has the instances of each task. Only its length is asked for, and only by the
            samplers that go by it.

        # Returns

        `Dict[str, float]`
            The share of each task in an epoch. They sum to 1. The answer stays the same until the
            next call of `start_epoch`, `update_from_epoch_metrics` or `load_state_dict`.
        """
        raise NotImplementedError

    def check_tasks(self, tasks: Sequence[str], known: Optional[Sequence[str]] = None) -> None:
        """
        Called when a loader is made.

        # Parameters

        tasks : `Sequence[str]`
            The tasks that the loader has data for: what the sampler must know about.
        known : `Sequence[str]`, optional (default = `tasks`)
            The tasks that the sampler may know about, such as all those of the reader.

        # Raises

        `ConfigurationError`
            If the sampler lacks something for one of `tasks`, or has something for a task that is
            not in `known`.
        """

    def start_epoch(self, epoch: int) -> None:
        """Called by the loader before each epoch. The first one is number 0."""

    def update_from_epoch_metrics(self, epoch_metrics: Mapping[str, Any]) -> None:
        """Called after each epoch by the trainer callback `multitask_data`, with all metrics."""

    def state_dict(self) -> Dict[str, Any]:
        """What a sampler has learned and needs to go on after a restart, as plain data."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Takes what `state_dict` returned."""
