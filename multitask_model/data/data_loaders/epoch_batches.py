"""The batches of one epoch, given its instances."""

import random
from functools import partial
from itertools import chain
from typing import Callable, Dict, Iterable, List, Mapping, Optional

from allennlp.data import Instance
from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler

from multitask_model.data.data_loaders.bucketing import LengthBucketer
from multitask_model.data.data_loaders.instance_streams import InstanceRef, Placeholder
from multitask_model.data.data_loaders.process_shares import (
    in_step,
    with_placeholders,
    without_placeholders,
)
from multitask_model.data.data_loaders.scheduler_adapter import batch_refs, reads_instances
from multitask_model.data.data_loaders.task_dataset import TaskDataset
from multitask_model.data.data_loaders.token_budget import TokenBudget
from multitask_model.data.schedulers import HomogeneousScheduler

EpochRefs = Dict[str, Iterable[InstanceRef]]
Batches = Iterable[List[InstanceRef]]
MakeRng = Callable[[str], random.Random]
"""Returns the random number generator for a task or, given `""`, for the scheduler."""


class EpochBatcher:
    """
    Buckets the instances of an epoch, batches them by a scheduler and limits the tokens of a batch.

        >>> from multitask_model.data.dataset_readers.labeled_text import LabeledTextReader
        >>> from multitask_model.data.schedulers import RoundRobinScheduler
        >>> class TextsReader(LabeledTextReader):
        ...     def _read(self, texts):
        ...         return map(self.text_to_instance, texts)
        >>> datasets = {"tweets": TaskDataset("tweets", TextsReader({}), ["So good", "Hi", "Bye"])}
        >>> batcher = EpochBatcher(datasets, lambda ref: datasets[ref[0]].instances[ref[1]])
        >>> refs = {"tweets": [("tweets", 0), ("tweets", 1), ("tweets", 2)]}
        >>> list(batcher.batches(RoundRobinScheduler(2), refs, random.Random, shuffle=False))
        [[('tweets', 0), ('tweets', 1)], [('tweets', 2)]]

    # Parameters

    datasets : `Mapping[str, TaskDataset]`
    get_instance : `Callable[[InstanceRef], Instance]`
        Returns the instance of a reference.
    bucketer : `LengthBucketer`, optional (default = `None`)
    budget : `TokenBudget`, optional (default = `None`)
    """

    def __init__(
        self,
        datasets: Mapping[str, TaskDataset],
        get_instance: Callable[[InstanceRef], Instance],
        bucketer: Optional[LengthBucketer] = None,
        budget: Optional[TokenBudget] = None,
    ) -> None:
        self._datasets = datasets
        self._get_instance = get_instance
        self._bucketer = bucketer
        self._budget = budget

    @property
    def has_budget(self) -> bool:
        """Whether the number of batches depends on the lengths of the instances."""
        return self._budget is not None

    def batches(
        self,
        scheduler: MultiTaskScheduler,
        refs: EpochRefs,
        make_rng: MakeRng,
        *,
        shuffle: bool,
        any_order: bool = False,
        missing: Optional[Mapping[str, Optional[int]]] = None,
    ) -> Batches:
        """
        Returns the batches.

        # Parameters

        scheduler : `MultiTaskScheduler`
        refs : `Dict[str, Iterable[InstanceRef]]`
            The instances of each task.
        make_rng : `Callable[[str], random.Random]`
            Returns the random number generator for a task or, given `""`, for the scheduler.
        shuffle : `bool`
            Whether the instances are shuffled. They are then bucketed, with noise.
        any_order : `bool`, optional (default = `False`)
            Whether instances that are not shuffled are bucketed too, without noise.
        missing : `Mapping[str, Optional[int]]`, optional (default = one process)
            In distributed training, how many instances of each task this process has fewer than
            the one with most; `None` if not known.
        """
        if hasattr(scheduler, "set_random"):
            scheduler.set_random(make_rng(""))
        bucketer = self._bucketer if shuffle or any_order else None
        if self._budget is not None and isinstance(scheduler, HomogeneousScheduler):
            made = {}
            for task, of_task in refs.items():
                cut = partial(self._budget.split, task, batch_size=scheduler.batch_size_of(task))
                made[task] = (
                    cut(of_task)
                    if bucketer is None
                    else bucketer.batches(task, of_task, make_rng(task), shuffle, cut)
                )
            ordered = self._order(scheduler, made)
            return ordered if missing is None else in_step(ordered)
        if bucketer is not None:
            for task, of_task in refs.items():
                refs[task] = bucketer.reorder(task, of_task, make_rng(task), shuffle)
        if missing is None:
            return self._limit(batch_refs(scheduler, refs, self._get_instance))
        return self._of_process(scheduler, refs, missing)

    def _order(self, scheduler: HomogeneousScheduler, batches: Mapping[str, Batches]) -> Batches:
        """Orders batches whose numbers are counted, unless a dataset is read lazily."""
        if any(dataset.instances is None for dataset in self._datasets.values()):
            return scheduler.order({task: iter(b) for task, b in batches.items()}, None)
        made = {task: list(of_task) for task, of_task in batches.items()}
        counts = {task: len(of_task) for task, of_task in made.items()}
        return scheduler.order({task: iter(of_task) for task, of_task in made.items()}, counts)

    def _limit(self, batches: Batches) -> Batches:
        """Splits batches that were made without regard to the budget."""
        if self._budget is None:
            return batches
        return chain.from_iterable(map(self._budget.split_mixed, batches))

    def _of_process(
        self,
        scheduler: MultiTaskScheduler,
        refs: EpochRefs,
        missing: Mapping[str, Optional[int]],
    ) -> Batches:
        for task, number in missing.items():
            refs[task] = with_placeholders(task, refs[task], number or 0)
        if not reads_instances(scheduler) and None not in missing.values() and not self._budget:
            return without_placeholders(batch_refs(scheduler, refs, self._get_instance))
        # Other instances, or other numbers of them, may make other numbers of batches.
        examples = [d.first for d in self._datasets.values() if d.first is not None]
        batches = batch_refs(scheduler, refs, self._instance) if examples else ()
        return in_step(self._limit(without_placeholders(batches)))

    def _instance(self, ref: InstanceRef) -> Instance:
        """The instance of a reference; for a placeholder, one of its task if there is any."""
        if not isinstance(ref, Placeholder):
            return self._get_instance(ref)
        datasets = [self._datasets[ref.task], *self._datasets.values()]
        return next(dataset.first for dataset in datasets if dataset.first is not None)
