"""The proportion of each task in the first epoch of a training, and the number of its batches."""

from typing import Any, Dict, List, Mapping, Optional, Tuple

from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler
from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler

from multitask_model.commands.description.data import Epoch
from multitask_model.data.data_loaders.apportionment import apportion, check_proportions
from multitask_model.data.data_loaders.loader_options import (
    check_sampler,
    check_tasks,
    choose_scheduler,
)

Sizes = Mapping[str, Optional[int]]


class _Dataset:
    """Has the length of a dataset, if it is known."""

    def __init__(self, size: Optional[int]) -> None:
        self._size = size

    def __len__(self) -> int:
        if self._size is None:
            raise TypeError("The instances of this dataset were not counted.")
        return self._size


class EpochPlan:
    """
    The scheduler and the sampler of a config, and what they do in the first epoch.

    # Parameters

    params : `Params`
        The data loader of a config. It is not changed.
    tasks : `List[str]`
        The tasks that have data.
    known : `List[str]`
        The tasks that have a reader.

    # Raises

    `ConfigurationError`
        If the options are wrong, as in `MultiTaskDataLoader`.
    """

    def __init__(self, params: Params, tasks: List[str], known: List[str]) -> None:
        params = params.duplicate()
        self.loader = str(params.pop("type", "multiprocess"))
        self.scheduler: Optional[MultiTaskScheduler] = None
        """`None` for another data loader than `multitask`."""
        self.sampler: Optional[MultiTaskEpochSampler] = None
        self.instances: Optional[int] = None
        """The value of `instances_per_epoch`."""
        if self.loader == "multitask":
            self._make(params)
            check_tasks(self.scheduler, tasks, known)
            if set(tasks) == set(known):
                check_tasks(self.sampler, tasks, known)

    def _make(self, params: Params) -> None:
        scheduler, sampler = params.get("scheduler"), params.get("sampler")
        self.scheduler = choose_scheduler(
            None if scheduler is None else MultiTaskScheduler.from_params(scheduler),
            params.as_dict(quiet=True).get("batch_size"),
        )
        if sampler is not None:
            self.sampler = MultiTaskEpochSampler.from_params(sampler)
        self.instances = params.get("instances_per_epoch")
        check_sampler(self.sampler, self.instances)

    def describe(self, sizes: Sizes) -> Tuple[Epoch, Dict[str, float], Dict[str, int]]:
        """
        # Parameters

        sizes : `Mapping[str, Optional[int]]`
            The number of instances of each dataset; `None` if it was not counted.

        # Returns

        `Tuple[Epoch, Dict[str, float], Dict[str, int]]`
            The epoch, and the proportion and the number of instances of each task. They are empty
            if they depend on sizes that are not known.
        """
        epoch = Epoch(self.loader, _type_name(self.scheduler), _type_name(self.sampler))
        proportions, counts = self._counts(sizes)
        if counts and self.scheduler is not None:
            epoch.instances = sum(counts.values())
            epoch.batches = int(self.scheduler.count_batches(counts))
        return epoch, proportions, counts

    def _counts(self, sizes: Sizes) -> Tuple[Dict[str, float], Dict[str, int]]:
        counts = {task: size for task, size in sizes.items() if size}
        is_counted = len(counts) == len(sizes)
        if self.sampler is None or self.instances is None:
            total = sum(counts.values())
            proportions = {task: count / total for task, count in counts.items()}
            return (proportions, counts) if is_counted else ({}, {})
        if hasattr(self.sampler, "start_epoch"):
            self.sampler.start_epoch(0)
        try:
            datasets: Any = {task: _Dataset(size) for task, size in sizes.items()}
            proportions = self.sampler.get_task_proportions(datasets)
        except (ConfigurationError, TypeError):
            if is_counted:
                raise
            return {}, {}
        proportions = check_proportions(proportions, sizes, self.sampler)
        return proportions, apportion(self.instances, proportions, {})[0]


def _type_name(component: object) -> Optional[str]:
    return None if component is None else type(component).__name__
