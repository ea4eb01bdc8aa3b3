"""The `multitask` data loader."""

import contextlib
import logging
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Union

import torch
from allennlp.data import DataLoader, Instance, Vocabulary
from allennlp.data.data_loaders import MultiTaskDataLoader as AllenNLPMultiTaskDataLoader
from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler
from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler
from allennlp.data.dataset_readers import MultiTaskDatasetReader
from allennlp.nn import util as nn_util
from overrides import overrides

from multitask_model.data.data_loaders.batch_workers import InstanceStore, collated
from multitask_model.data.data_loaders.bucketing import Buckets
from multitask_model.data.data_loaders.epoch_tracker import EpochTracker
from multitask_model.data.data_loaders.epochs import Epochs, without_dropping
from multitask_model.data.data_loaders.instance_streams import InstanceRef
from multitask_model.data.data_loaders.options import (
    Workers,
    batch_size_of,
    check_data_path,
    check_sampler,
    check_sorting_keys,
    check_tasks,
    options_by_task,
    scheduler_of,
)
from multitask_model.data.data_loaders.padding_ratio import PaddingMeter
from multitask_model.data.data_loaders.task_dataset import TaskDataset

logger = logging.getLogger(__name__)


@DataLoader.register("multitask", exist_ok=True)
class MultiTaskDataLoader(AllenNLPMultiTaskDataLoader):
    """
    Loads the data of several tasks: a `sampler` says how much of each makes up an epoch, and a
    `scheduler` makes batches of it and puts them in order. Instances of a batch need not have the
    same fields: see `collate`.

    - **Training.** An epoch has every instance once or, with `instances_per_epoch`, exactly so many
      of each task as its share comes to: shares are rounded such that they sum up, and what was
      rounded off is carried over to the next epoch. Each dataset goes on where the last epoch left
      it, and is shuffled anew after each pass.
    - **Evaluation.** Where gradients are off (`torch.no_grad`, as in AllenNLP's validation and
      evaluation), every instance comes once, whatever `instances_per_epoch` and `drop_last` are,
      and in the order of the files, unless `shuffle` is `True`. That leaves the positions of
      training as they are.
    - **Reproducible.** An epoch follows from a seed that is drawn from Python's generator when the
      loader is made (AllenNLP seeds that from the config), the number of the epoch, and positions.
      So a run that AllenNLP recovers from a checkpoint, for which it goes through all epochs again,
      gets the same instances again, unless the sampler goes by metrics. The trainer callback
      `multitask_data` puts all of it into the checkpoint, and spares the going through.

    The length is the number of batches of the epoch under way, or else of the next one. With
    `instances_per_epoch` it may differ by a few batches from epoch to epoch. There is none
    if a dataset is read lazily, unless `instances_per_epoch` is given.

    Registered as a `DataLoader` with name "multitask".

    # Parameters

    reader : `MultiTaskDatasetReader`
    data_path : `Dict[str, Any]`
        What each task's reader takes. Tasks may be left out.
    scheduler : `MultiTaskScheduler`, optional (default = `None`)
        A scheduler of AllenNLP's, or of your own, will do.
    sampler : `MultiTaskEpochSampler`, optional (default = `None`)
        Used, and required, with `instances_per_epoch`.
    instances_per_epoch : `int`, optional (default = `None`)
        In distributed training, of each process. There it makes the counts of all processes equal,
        if the sampler does not go by sizes, and so the order of their tasks.
    num_workers, max_instances_in_memory, start_method, instance_queue_size, instance_chunk_size :
        optional (default = `None`)
        One value for all tasks, or a dictionary with those of some tasks. With `num_workers`, so
        many processes read the dataset; and as many as the dataset with the most has make batches,
        if all datasets are in memory (to send a lazily read instance to a process takes longer than
        to make it part of a batch). The batches are the same, in the same order, whatever the
        number. For the others see `TaskDataset`.
    shuffle : `bool`, optional (default = `None`)
        By default training is shuffled and evaluation is not.
    cuda_device : `Union[int, str, torch.device]`, optional (default = `None`)
        Where batches go. The trainer sets it.
    batch_size : `Union[int, Dict[str, int]]`, optional (default = `None`)
        Instead of a scheduler: that of the scheduler "shuffled".
    sorting_keys : `List[str]`, optional (default = `None`)
        The fields, as a rule the text, by the length of which instances of a task are put together,
        so that less of a batch is padding. That does most for schedulers that keep the tasks apart.
        Where there is no shuffling there are no buckets.
    padding_noise : `float`, optional (default = `0.1`)
        See `make_buckets`.

    # Raises

    `ConfigurationError`
        If a dataset is empty, or a task, a key or a value does not fit with the others.
    """

    def __init__(
        self,
        reader: MultiTaskDatasetReader,
        data_path: Dict[str, Any],
        scheduler: Optional[MultiTaskScheduler] = None,
        *,
        sampler: Optional[MultiTaskEpochSampler] = None,
        instances_per_epoch: Optional[int] = None,
        num_workers: Optional[Union[int, Dict[str, int]]] = None,
        max_instances_in_memory: Optional[Union[int, Dict[str, int]]] = None,
        start_method: Optional[Union[str, Dict[str, str]]] = None,
        instance_queue_size: Optional[Union[int, Dict[str, int]]] = None,
        instance_chunk_size: Optional[Union[int, Dict[str, int]]] = None,
        shuffle: Optional[bool] = None,
        cuda_device: Optional[Union[int, str, torch.device]] = None,
        batch_size: Optional[Union[int, Dict[str, int]]] = None,
        sorting_keys: Optional[List[str]] = None,
        padding_noise: float = 0.1,
    ) -> None:
        self.readers = reader.readers
        check_data_path(data_path, self.readers)
        self.data_paths = dict(data_path)
        self.scheduler = scheduler_of(scheduler, batch_size)
        self.sampler = sampler
        check_sampler(sampler, instances_per_epoch)
        tasks, known = list(self.data_paths), list(self.readers)
        check_tasks(self.scheduler, tasks, known)
        if set(tasks) == set(known):
            # A split of some tasks may be for evaluation, where the sampler has no say.
            check_tasks(sampler, tasks, known)
        given = {
            "num_workers": num_workers,
            "max_instances_in_memory": max_instances_in_memory,
            "start_method": start_method,
            "instance_queue_size": instance_queue_size,
            "instance_chunk_size": instance_chunk_size,
        }
        options, workers = options_by_task(given, tasks, known)
        check_sorting_keys(sorting_keys, padding_noise, shuffle)
        self._sorting_keys = sorting_keys
        self.cuda_device = None if cuda_device is None else torch.device(cuda_device)
        self.padding_share: Optional[float] = None
        """Of the last epoch or evaluation that came to its end; `None` if nothing is padded."""
        self._read(options, workers)
        bucket = None if sorting_keys is None else self._buckets(sorting_keys, padding_noise).order
        self._epochs = Epochs(
            self._loaders,
            self.scheduler,
            sampler,
            instances_per_epoch,
            shuffle,
            bucket,
            self._lookup.__getitem__,
        )
        self._progress = EpochTracker(self._epochs, self.scheduler)

    def _read(self, options: Mapping[str, Dict[str, Any]], workers: Workers) -> None:
        self._loaders: Any = {
            task: TaskDataset(task, self.readers[task], path, **options[task])
            for task, path in self.data_paths.items()
        }
        instances = {task: loader.instances for task, loader in self._loaders.items()}
        self._lookup = InstanceStore(instances)
        # To send an instance that is read lazily takes longer than to make it part of a batch.
        self._workers = workers._replace(number=0) if None in instances.values() else workers

    def _buckets(self, names: Sequence[str], noise: float) -> Buckets:
        sizes = {task: batch_size_of(self.scheduler, task) for task in self._loaders}
        return Buckets(names, noise, self._loaders, sizes, self._lookup.__getitem__)

    @overrides
    def __len__(self) -> int:
        if torch.is_grad_enabled():
            return len(self._progress)
        counts = {task: len(loader) for task, loader in self._loaders.items()}
        return without_dropping(self.scheduler).count_batches(counts)

    @overrides
    def __iter__(self) -> Iterator[Dict[str, Any]]:
        if torch.is_grad_enabled():
            return self._progress.epoch(self._batches)
        return self._batches(self._epochs.evaluation())

    def _batches(self, batches: Iterable[List[InstanceRef]]) -> Iterator[Dict[str, Any]]:
        meter = PaddingMeter(self._sorting_keys)
        keys = self._metered(batches, meter)
        for batch in collated(keys, self._lookup, *self._workers):
            yield nn_util.move_to_device(
                batch, -1 if self.cuda_device is None else self.cuda_device
            )
        self.padding_share = meter.share
        if meter.share is not None:
            logger.info("Padding: %.1f%% of what the batches hold", 100 * meter.share)

    def _metered(
        self, batches: Iterable[List[InstanceRef]], meter: PaddingMeter
    ) -> Iterator[List[InstanceRef]]:
        for keys in batches:
            meter.add([self._lookup[key] for key in keys])
            yield keys

    @overrides
    def iter_instances(self) -> Iterator[Instance]:
        for loader in self._loaders.values():
            yield from loader.iter_instances()

    @overrides
    def index_with(self, vocab: Vocabulary) -> None:
        for loader in self._loaders.values():
            loader.index_with(vocab)

    @overrides
    def set_target_device(self, device: torch.device) -> None:
        self.cuda_device = device

    def update_from_epoch_metrics(self, metrics: Mapping[str, Any]) -> None:
        """Hands the metrics of an epoch to the sampler and to the scheduler."""
        self._epochs.forget_shares()
        for part in (self.sampler, self.scheduler):
            if part is not None:
                # That is how AllenNLP's say that they do not go by metrics.
                with contextlib.suppress(NotImplementedError):
                    part.update_from_epoch_metrics(dict(metrics))

    def finish_epoch(self, batches: Optional[int] = None) -> None:
        """
        Says that the epoch under way is over, though it may not have come to its end.

        # Parameters

        batches : `int`, optional (default = all that were taken)
            How many of its batches were used.
        """
        self._progress.finish(batches)

    def state_dict(self) -> Dict[str, Any]:
        """
        # Returns

        `Dict[str, Any]`
            Plain data, from which another loader of the same datasets can go on: the state at the
            beginning of the epoch under way, if there is one, or else of the next.
        """
        return self._progress.state_dict()

    def load_state_dict(self, state: Mapping[str, Any], go_through: Optional[int] = None) -> None:
        """
        # Parameters

        state : `Mapping[str, Any]`
            What `state_dict` returned.
        go_through : `int`, optional (default = `None`)
            By default, the next epoch is the one that the state is of. If given, it comes after
            epochs of empty batches, one for each epoch before it, and this many of its own batches
            are empty. That is for a trainer that goes through what it has done already.
        """
        self._progress.load_state_dict(state)
        if go_through is not None:
            self._progress.go_through(go_through)
