"""The `multitask` data loader."""

import contextlib
import copy
from typing import (
    Any,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Tuple,
    Union,
)

import torch
from allennlp.data import DataLoader, Instance, Vocabulary
from allennlp.data.data_loaders import MultiTaskDataLoader as AllenNLPMultiTaskDataLoader
from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler
from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler
from allennlp.data.dataset_readers import MultiTaskDatasetReader
from overrides import overrides

from multitask_model.compat.allennlp_internals import register_in_place, set_distributed_info
from multitask_model.data.data_loaders.bucketing import LengthBucketer
from multitask_model.data.data_loaders.epoch_batches import EpochBatcher
from multitask_model.data.data_loaders.epoch_collator import EpochCollator, need_workers
from multitask_model.data.data_loaders.epoch_tracker import EpochTracker, LoaderState
from multitask_model.data.data_loaders.epochs import Epochs
from multitask_model.data.data_loaders.instance_streams import InstanceRef
from multitask_model.data.data_loaders.loader_options import (
    check_drop_last,
    check_sampler,
    check_sorting_keys,
    check_tasks,
    choose_scheduler,
)
from multitask_model.data.data_loaders.process_shares import ProcessShares
from multitask_model.data.data_loaders.scheduler_adapter import batch_size_of
from multitask_model.data.data_loaders.seeds import make_seed, separate_random_state
from multitask_model.data.data_loaders.task_dataset import TaskDataset
from multitask_model.data.data_loaders.task_options import (
    CollateWorkers,
    check_data_path,
    options_by_task,
    token_limits,
)
from multitask_model.data.data_loaders.token_budget import TokenBudget, check_has_tokens
from multitask_model.distributed import alone


@register_in_place(DataLoader, "multitask")
class MultiTaskDataLoader(AllenNLPMultiTaskDataLoader):
    """
    Loads the datasets of several tasks. A `sampler` sets the proportion of each dataset in an
    epoch, and a `scheduler` makes the batches and orders them. The instances of a batch may have
    different fields: see `collate`.

    - **Training.** By default, an epoch has every instance once. With `instances_per_epoch`, it has
      exactly that many, split by the sampler's proportions; rounding errors are carried over to the
      next epoch. Each dataset resumes where the last epoch stopped, and is shuffled again after
      each full pass.
    - **Evaluation.** With gradients disabled (`torch.no_grad`, as in AllenNLP's validation and
      evaluation), every instance is returned once, in the order of the files unless `shuffle` is
      `True`. `instances_per_epoch` and `drop_last` are ignored. The state of training does not
      change.
    - **Reproducibility.** An epoch depends on its number, on the position in each dataset, and on a
      seed that is taken from Python's generator at construction, before reading (AllenNLP seeds it
      from the config). In distributed training, all processes use the seed of the first one: every
      process has to construct the loader. Random numbers that a reader uses while the loader is
      constructed depend on this seed, and have no effect on anything else. A run
      that is recovered from a checkpoint therefore gets the same batches, unless the sampler
      depends on metrics: AllenNLP iterates over all earlier batches again. The trainer callback
      `multitask_data` saves the loader's state in the checkpoint instead, which also supports such
      samplers and takes no time.

    The length is the number of batches in the current epoch or, between epochs, in the next one.
    With `instances_per_epoch`, it may vary by a few batches. If a dataset is read lazily, there is
    no length without `instances_per_epoch`.

    Registered as a `DataLoader` with name "multitask".

    # Parameters

    reader : `MultiTaskDatasetReader`
    data_path : `Dict[str, Any]`
        The input of each task's reader. Tasks may be omitted.
    scheduler : `MultiTaskScheduler`, optional (default = `None`)
        Any scheduler, also one that was written for AllenNLP's data loader.
    sampler : `MultiTaskEpochSampler`, optional (default = `None`)
        Required with `instances_per_epoch`, and unused without it.
    instances_per_epoch : `int`, optional (default = `None`)
        The number of instances in an epoch; in distributed training, of all processes together.
    num_workers, max_instances_in_memory, start_method, instance_queue_size, instance_chunk_size :
        optional (default = `None`)
        One value for all tasks, or a dictionary with values for some tasks: see `TaskDataset`.
        `num_workers` processes read each dataset. The largest of these numbers also collates
        batches if this takes longer than sending them: if a field is of a class that
        `batch_fields` does not know, or changes from pass to pass. If a dataset is read lazily,
        this process collates. The batches do not depend on `num_workers`. Processes of
        the start methods `spawn` and `forkserver` are started once: they do not see changes of the
        instances or the reader that are made after the first epoch.
    shuffle : `bool`, optional (default = `None`)
        By default, training is shuffled and evaluation is not.
    cuda_device : `Union[int, str, torch.device]`, optional (default = `None`)
        The device of the batches. Set by the trainer.
    batch_size : `Union[int, Dict[str, int]]`, optional (default = `None`)
        Replaces `scheduler` by the scheduler "shuffled" with this batch size.
    sorting_keys : `List[str]`, optional (default = `None`)
        The fields, usually the text, by whose length the instances of a task are bucketed, which
        reduces padding: in training, and in evaluations inside `any_order`. This is most effective
        with schedulers that make batches of one task. Ignored in training without shuffling.
    padding_noise : `float`, optional (default = `0.1`)
        The relative noise that is added to the lengths in training: see `make_buckets`.
    max_tokens : `Union[int, Dict[str, int]]`, optional (default = `None`)
        The largest number of tokens in a batch, with padding, for all tasks or by task: for each
        field of `sorting_keys`, or each text field, the number of instances that have it times the
        length of the longest. A batch has fewer than `batch_size` instances if they are longer.

    # Raises

    `ConfigurationError`
        If a dataset is empty, a task is unknown, or options are invalid or do not fit together.

    # Examples

    >>> from allennlp.data import DatasetReader, Instance
    >>> from allennlp.data.fields import MetadataField
    >>> from multitask_model import MultiTaskDataLoader, MultiTaskDatasetReader
    >>> class RangeReader(DatasetReader):
    ...     def _read(self, file_path):
    ...         return (Instance({"number": MetadataField(i)}) for i in range(int(file_path)))
    >>> reader = MultiTaskDatasetReader({"tweets": RangeReader(), "ewt": RangeReader()})
    >>> loader = MultiTaskDataLoader(reader, {"tweets": "3", "ewt": "2"}, batch_size=2)
    >>> len(loader), sorted(batch["task"] for batch in loader)
    (3, [['ewt', 'ewt'], ['tweets'], ['tweets', 'tweets']])
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
        max_tokens: Optional[Union[int, Dict[str, int]]] = None,
    ) -> None:
        self.readers = reader.readers
        check_data_path(data_path, self.readers)
        self.data_paths = dict(data_path)
        self.scheduler = choose_scheduler(scheduler, batch_size)
        self.sampler = sampler
        check_sampler(sampler, instances_per_epoch)
        check_sorting_keys(sorting_keys, padding_noise)
        self._max_tokens = token_limits(max_tokens, list(data_path), list(self.readers))
        check_drop_last(self.scheduler, self._max_tokens)
        self._check_tasks()
        self.cuda_device = None if cuda_device is None else torch.device(cuda_device)
        self._options = {
            "num_workers": num_workers,
            "max_instances_in_memory": max_instances_in_memory,
            "start_method": start_method,
            "instance_queue_size": instance_queue_size,
            "instance_chunk_size": instance_chunk_size,
        }
        # Before reading, so that it does not depend on the random numbers that a reader uses.
        seed = make_seed()
        with separate_random_state(seed):
            self.datasets, self.collate_workers = self._read()
        """The dataset of each task, and the processes that collate batches."""
        self._shares = self._gather_shares()
        self._sorting_keys = sorting_keys
        self._padding_noise = padding_noise
        self._instances_per_epoch = instances_per_epoch
        self._shuffle_option = shuffle
        self._any_order = False
        self._prepare_epochs(seed)

    def _prepare_epochs(self, seed: int) -> None:
        self._collator = EpochCollator(self.datasets, self.collate_workers, self._sorting_keys)
        self._epochs = Epochs(
            self.datasets,
            self.scheduler,
            self._make_batcher(),
            seed,
            sampler=self.sampler,
            instances_per_epoch=self._instances_per_epoch,
            shuffle=self._shuffle_option,
            shares=self._shares,
        )
        self._tracker = EpochTracker(self._epochs, self.scheduler)

    def _check_tasks(self) -> None:
        tasks, known = list(self.data_paths), list(self.readers)
        check_tasks(self.scheduler, tasks, known)
        # A loader of some tasks may be for evaluation only, where the sampler is not used.
        if set(tasks) == set(known):
            check_tasks(self.sampler, tasks, known)

    def _read(self) -> Tuple[Dict[str, TaskDataset], CollateWorkers]:
        by_task, workers = options_by_task(self._options, list(self.data_paths), list(self.readers))
        datasets = {
            task: TaskDataset(task, self.readers[task], path, **by_task[task])
            for task, path in self.data_paths.items()
        }
        return datasets, workers if need_workers(datasets) else workers._replace(num_workers=0)

    def _gather_shares(self) -> ProcessShares:
        """The shares of all processes, if none of the datasets is empty."""
        lengths = {task: dataset.known_length for task, dataset in self.datasets.items()}
        shares = ProcessShares.gather(lengths)
        for task, dataset in self.datasets.items():
            if not any(length != 0 for length in shares.of(task)):
                raise dataset.empty_error()
        return shares

    def _make_batcher(self) -> EpochBatcher:
        get_instance, keys = self._collator.store.in_memory, self._sorting_keys
        bucketer, budget = None, None
        if keys is not None:
            sizes = {task: batch_size_of(self.scheduler, task) for task in self.datasets}
            noise = self._padding_noise
            bucketer = LengthBucketer(keys, noise, self.datasets, sizes, get_instance)
        if self._max_tokens:
            examples = {task: dataset.first for task, dataset in self.datasets.items()}
            check_has_tokens(self._max_tokens, examples, keys)
            budget = TokenBudget(self._max_tokens, get_instance, keys)
        return EpochBatcher(self.datasets, get_instance, bucketer, budget)

    def of_this_process(self) -> "MultiTaskDataLoader":
        """
        Returns a loader of all instances, for an evaluation that one process of distributed
        training makes without the others. It reads the data again, and is indexed as this one is.
        """
        for reader in self.readers.values():
            set_distributed_info(reader, None)
        loader = copy.copy(self)
        with alone(), separate_random_state(0):
            loader.datasets, loader.collate_workers = loader._read()
            loader._shares = loader._gather_shares()
            loader._prepare_epochs(0)
        if self._collator.store.vocab is not None:
            loader.index_with(self._collator.store.vocab)
        return loader

    @contextlib.contextmanager
    def any_order(self) -> Iterator[None]:
        """
        Buckets evaluations by `sorting_keys`, for a caller to whom the order of the instances does
        not matter. Elsewhere, evaluations have the order of the files.
        """
        before, self._any_order = self._any_order, True
        try:
            yield
        finally:
            self._any_order = before

    @overrides
    def __len__(self) -> int:
        if torch.is_grad_enabled():
            return len(self._tracker)
        return self._epochs.count_evaluation_batches(self._any_order)

    @overrides
    def __iter__(self) -> Iterator[Dict[str, Any]]:
        if torch.is_grad_enabled():
            return self._tracker.epoch(self._collate)
        return self._collate(self._epochs.evaluation(self._any_order))

    def _collate(self, batches: Iterable[List[InstanceRef]]) -> Iterator[Dict[str, object]]:
        return self._collator.collate(batches, self.cuda_device)

    @property
    def padding_ratio(self) -> Optional[float]:
        """
        The proportion of padding in the last epoch or evaluation that was finished; `None` if
        nothing is padded.
        """
        return self._collator.padding_ratio

    @overrides
    def iter_instances(self) -> Iterator[Instance]:
        for dataset in self.datasets.values():
            yield from dataset.iter_instances()

    @overrides
    def index_with(self, vocab: Vocabulary) -> None:
        for dataset in self.datasets.values():
            dataset.index_with(vocab)
        self._collator.index_with(vocab)
        self._tracker.discard_plan()  # an indexed text can be longer: see `padded_length`

    @overrides
    def set_target_device(self, device: torch.device) -> None:
        self.cuda_device = device

    def update_from_epoch_metrics(self, metrics: Mapping[str, object]) -> None:
        """Passes the metrics of an epoch to the sampler and to the scheduler."""
        self._tracker.discard_plan()
        for component in (self.sampler, self.scheduler):
            if component is not None:
                # AllenNLP's classes raise it if they do not depend on metrics.
                with contextlib.suppress(NotImplementedError):
                    component.update_from_epoch_metrics(dict(metrics))

    def start_training(self) -> None:
        """
        Counts the batches of past epochs from here, for `state_dict`. A trainer that recovers does
        not iterate over batches that were taken before the training, such as a look at one batch.
        """
        self._tracker.restart_count()

    def finish_epoch(self, batches: Optional[int] = None) -> None:
        """
        Ends the current epoch, even if not all of its batches were taken.

        # Parameters

        batches : `int`, optional (default = all that were taken)
            The number of its batches that were used.
        """
        self._tracker.finish(batches)

    def state_dict(self) -> LoaderState:
        """
        Returns the state for a checkpoint, as plain Python data: that at the start of the current
        epoch or, between epochs, of the next one. Any loader of the same datasets can resume from
        it.
        """
        return self._tracker.state_dict()

    def load_state_dict(self, state: LoaderState, fast_forward: Optional[int] = None) -> None:
        """
        Restores a state. The next epoch is the one at whose start the state was saved.

        # Parameters

        state : `LoaderState`
            The result of `state_dict`.
        fast_forward : `int`, optional (default = `None`)
            For a trainer that iterates over all earlier batches again. If given, the loader first
            returns the epochs before the state with empty dictionaries for batches, and then the
            epoch of the state with its first `fast_forward` batches empty.
        """
        self._tracker.load_state_dict(state)
        if fast_forward is not None:
            self._tracker.fast_forward(fast_forward)
