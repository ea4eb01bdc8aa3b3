"""The base class of samplers."""

from typing import Dict, Mapping, Optional, Sequence, Sized

from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler


class EpochSampler(MultiTaskEpochSampler):
    """
    Sets the proportion of each dataset in an epoch. Extends AllenNLP's `MultiTaskEpochSampler` with
    hooks that `MultiTaskDataLoader` calls: to check the sampler at construction, to announce an
    epoch, and to save the sampler's state in a checkpoint.

    A subclass must implement `get_task_proportions`; the other methods do nothing by default.
    Register it with `@MultiTaskEpochSampler.register("name")` to use it in a config.

    # Examples

    A sampler that alternates between two datasets:

    >>> from multitask_model.data.samplers import EpochSampler
    >>> class AlternatingSampler(EpochSampler):
    ...     def start_epoch(self, epoch):
    ...         self.odd = epoch % 2
    ...     def get_task_proportions(self, data_loaders):
    ...         return dict(zip(data_loaders, [1.0 - self.odd, float(self.odd)]))
    >>> sampler = AlternatingSampler()
    >>> sampler.start_epoch(1)
    >>> sampler.get_task_proportions({"tweets": range(900), "ewt": range(100)})
    {'tweets': 0.0, 'ewt': 1.0}
    """

    def get_task_proportions(self, data_loaders: Mapping[str, Sized]) -> Dict[str, float]:
        """
        Returns the proportion of each dataset in the next epoch.

        # Parameters

        data_loaders : `Mapping[str, Sized]`
            The dataset of each task. `len` of a dataset is its number of instances; it raises
            `TypeError` for a dataset that is read lazily.

        # Returns

        `Dict[str, float]`
            Proportions that sum to 1. They only change after a call of `start_epoch`,
            `update_from_epoch_metrics` or `load_state_dict`.
        """
        raise NotImplementedError

    def check_tasks(self, tasks: Sequence[str], known: Optional[Sequence[str]] = None) -> None:
        """
        Validates the sampler's parameters. The loader calls this at construction.

        # Parameters

        tasks : `Sequence[str]`
            The tasks that the loader has data for. The sampler must have parameters for each.
        known : `Sequence[str]`, optional (default = `tasks`)
            The tasks that the sampler may have parameters for, such as all tasks of the reader.

        # Raises

        `ConfigurationError`
            If a parameter is missing for one of `tasks`, or is given for a task not in `known`.
        """

    def start_epoch(self, epoch: int) -> None:
        """Announces the next epoch, counted from 0. The loader calls this before each epoch."""

    def update_from_epoch_metrics(self, epoch_metrics: Mapping[str, object]) -> None:
        """Receives the trainer's metrics after each epoch, from the callback `multitask_data`."""

    def state_dict(self) -> Mapping[str, object]:
        """Returns the state to save in a checkpoint, as plain Python data."""
        return {}

    def load_state_dict(self, state: Mapping[str, object]) -> None:
        """Restores the state that `state_dict` returned."""
