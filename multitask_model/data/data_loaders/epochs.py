"""The batches of each epoch. They depend on a seed, the epoch number and positions only."""

import contextlib
import copy
import random
from typing import (
    Any,
    Dict,
    Iterable,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    TypedDict,
)

from allennlp.common.checks import ConfigurationError
from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler
from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler

from multitask_model.data.data_loaders.apportionment import apportion, check_proportions
from multitask_model.data.data_loaders.epoch_batches import Batches, EpochBatcher, EpochRefs
from multitask_model.data.data_loaders.instance_streams import (
    InstanceRef,
    LazyStream,
    MemoryStream,
    Stream,
)
from multitask_model.data.data_loaders.process_shares import ProcessShares
from multitask_model.data.data_loaders.scheduler_adapter import without_drop_last
from multitask_model.data.data_loaders.task_dataset import TaskDataset
from multitask_model.distributed import gather
from multitask_model.errors import format_names

Counts = Dict[str, int]


class _EpochsStateWithoutSampler(TypedDict):
    seed: int
    epoch: int
    positions: Dict[str, List[int]]
    carry: Dict[str, float]


class EpochsState(_EpochsStateWithoutSampler, total=False):
    """
    The state of `Epochs`, as plain data: see `apportion` for `carry`. In distributed training,
    `taken` is the number of instances of each task that all processes together have taken.
    """

    sampler: Mapping[str, object]
    taken: Dict[str, int]


class Epochs:
    """
    Makes the batches of one epoch after the other, as lists of references to instances.

        >>> from multitask_model.data.dataset_readers.labeled_text import LabeledTextReader
        >>> from multitask_model.data.schedulers import ShuffledScheduler
        >>> class TextsReader(LabeledTextReader):
        ...     def _read(self, texts):
        ...         return map(self.text_to_instance, texts)
        >>> datasets = {"tweets": TaskDataset("tweets", TextsReader({}), ["So good", "Hi", "Bye"])}
        >>> batcher = EpochBatcher(datasets, lambda ref: datasets[ref[0]].instances[ref[1]])
        >>> epochs = Epochs(datasets, ShuffledScheduler(2), batcher, seed=0)
        >>> list(epochs.start()), epochs.state_dict()["positions"]
        ([[('tweets', 2), ('tweets', 1)], [('tweets', 0)]], {'tweets': [1, 0]})

    # Parameters

    datasets : `Dict[str, TaskDataset]`
    scheduler : `MultiTaskScheduler`
    batcher : `EpochBatcher`
    seed : `int`
    sampler : `MultiTaskEpochSampler`, optional (default = `None`)
        Required with `instances_per_epoch`.
    instances_per_epoch : `int`, optional (default = `None`)
        By default, an epoch is a full pass over all datasets.
    shuffle : `bool`, optional (default = `None`)
        By default, epochs are shuffled and evaluations are not.
    shares : `ProcessShares`, optional (default = this process takes all instances)
        The share of each process in distributed training.
    """

    def __init__(
        self,
        datasets: Dict[str, TaskDataset],
        scheduler: MultiTaskScheduler,
        batcher: EpochBatcher,
        seed: int,
        *,
        sampler: Optional[MultiTaskEpochSampler] = None,
        instances_per_epoch: Optional[int] = None,
        shuffle: Optional[bool] = None,
        shares: Optional[ProcessShares] = None,
    ) -> None:
        self._datasets = datasets
        self._scheduler = scheduler
        self._sampler = sampler
        self._instances_per_epoch = instances_per_epoch
        self._shuffle = shuffle
        self._batcher = batcher
        self._seed = seed
        self._number = 0
        self._evaluations = 0
        self._carry = dict.fromkeys(datasets, 0.0)
        lengths = {task: dataset.known_length for task, dataset in datasets.items()}
        self._shares = shares or ProcessShares([lengths], rank=0)
        self._taken = dict.fromkeys(datasets, 0)
        self._next: Optional[Tuple[Counts, Dict[str, float]]] = None
        self._streams = {task: self._make_stream(task) for task in datasets}

    def _make_stream(self, task: str) -> Stream:
        dataset = self._datasets[task]
        stream = LazyStream if dataset.instances is None else MemoryStream
        return stream(task, dataset, self._seed, self._shuffle is not False)

    def counts(self) -> Counts:
        """
        Returns the number of instances of each task in the next epoch; in distributed training, in
        that of the process that has most of the task. All processes make batches of these numbers.
        Raises `TypeError` if a dataset has no length.
        """
        return {task: max(split) for task, split in self._split(self._totals()).items()}

    def _known_lengths(self, task: str) -> List[int]:
        lengths = [length for length in self._shares.of(task) if length is not None]
        if len(lengths) < self._shares.processes:
            raise TypeError("A dataset that is read lazily (max_instances_in_memory) has no length")
        return lengths

    def _totals(self) -> Counts:
        """The number of instances of each task in the next epoch, of all processes together."""
        if self._instances_per_epoch is not None:
            return self._apportioned()[0]
        totals = {task: sum(self._known_lengths(task)) for task in self._datasets}
        return {task: total - self._taken[task] % total for task, total in totals.items()}

    def _split(self, totals: Mapping[str, int]) -> Dict[str, List[int]]:
        """The number of instances of each task that each process takes in the next epoch."""
        return {task: self._shares.split(task, self._taken[task], n) for task, n in totals.items()}

    def refresh_proportions(self) -> None:
        """Discards the proportions of the next epoch, so that the sampler is asked again."""
        self._next = None

    def agree_on_proportions(self) -> None:
        """
        Lets all processes of distributed training take what the sampler of the first one returned,
        if it is of a class that may be random. All processes call this at the start of an epoch.
        """
        module = type(self._sampler).__module__
        is_known = self._sampler is None or module.startswith(("multitask_model.", "allennlp."))
        if self._instances_per_epoch and self._shares.processes > 1 and not is_known:
            self._next = gather(self._apportioned())[0]

    def _apportioned(self) -> Tuple[Counts, Dict[str, float]]:
        # The sampler is asked once per epoch, as in AllenNLP: its answers may be random.
        if self._next is None:
            self._next = self._ask_sampler()
        return self._next

    def _ask_sampler(self) -> Tuple[Counts, Dict[str, float]]:
        sampler = self._sampler
        assert self._instances_per_epoch is not None
        assert sampler is not None
        if hasattr(sampler, "start_epoch"):
            sampler.start_epoch(self._number)
        proportions = sampler.get_task_proportions(self._sized_datasets())
        proportions = check_proportions(proportions, self._datasets, sampler)
        return apportion(self._instances_per_epoch, proportions, self._carry)

    def _sized_datasets(self) -> Dict[str, Any]:
        """The datasets or, in distributed training, something of the length of all their parts."""
        if self._shares.processes == 1:
            return dict(self._datasets)
        totals = {task: self._shares.total(task) for task in self._datasets}
        return {
            task: self._datasets[task] if total is None else range(total)
            for task, total in totals.items()
        }

    @property
    def has_budget(self) -> bool:
        """Whether the lengths of the instances decide how many batches an epoch has."""
        return self._batcher.has_budget

    def start_counted(self) -> List[List[InstanceRef]]:
        """
        Returns the next epoch's batches as a list. Raises `TypeError` if their number is not known:
        if a dataset is read lazily, or other processes have instances of other lengths.
        """
        self._check_counted()
        return list(self.start())

    def _check_counted(self) -> None:
        for task in self._datasets:
            self._known_lengths(task)
        if self._shares.processes > 1:
            raise TypeError("In distributed training, an epoch with max_tokens has no length")

    def start(self) -> Batches:
        """
        Returns the next epoch's batches and advances the epoch counter. In distributed training,
        every process gets the same number of batches, some of which may be empty.
        """
        split: Mapping[str, Optional[List[int]]] = dict.fromkeys(self._datasets)
        with contextlib.suppress(TypeError):  # the length of a lazily read dataset is not known
            totals = self._totals()
            split = self._split(totals)
            self._taken = {task: self._taken[task] + n for task, n in totals.items()}
        if self._instances_per_epoch is not None:
            _, self._carry = self._apportioned()
            self.refresh_proportions()
        number, self._number = self._number, self._number + 1
        refs = {task: self._take(task, of_task) for task, of_task in split.items()}
        shuffle = self._shuffle is not False
        return self._batches(self._scheduler, refs, split, f"epoch {number}", shuffle)

    def _take(self, task: str, split: Optional[List[int]]) -> Iterable[InstanceRef]:
        return self._streams[task].take(None if split is None else split[self._shares.rank])

    def evaluation(self, any_order: bool = False) -> Batches:
        """
        Returns batches with all instances once, in the order of the files unless `any_order`. The
        state of the epochs does not change.
        """
        shuffle = self._shuffle is True
        label = f"evaluation {self._evaluations}" if shuffle else "evaluation"
        self._evaluations += 1
        refs = {task: s.full_pass(label, shuffle) for task, s in self._streams.items()}
        lengths = {task: self._shares.of(task) for task in self._datasets}
        scheduler = without_drop_last(self._scheduler)
        return self._batches(scheduler, refs, lengths, label, shuffle, any_order)

    def count_evaluation_batches(self, any_order: bool = False) -> int:
        """Returns the number of batches of an evaluation. Raises `TypeError` if it is not known."""
        scheduler = without_drop_last(self._scheduler)
        counts = {task: max(self._known_lengths(task)) for task in self._datasets}
        if not self.has_budget:
            return int(scheduler.count_batches(counts))
        self._check_counted()
        number = self._evaluations
        batches = list(self.evaluation(any_order))
        self._evaluations = number
        return len(batches)

    def _batches(
        self,
        scheduler: MultiTaskScheduler,
        refs: EpochRefs,
        split: Mapping[str, Optional[Sequence[Optional[int]]]],
        label: str,
        shuffle: bool,
        any_order: bool = False,
    ) -> Batches:
        missing = {task: _missing(of_task, self._shares.rank) for task, of_task in split.items()}
        return self._batcher.batches(
            scheduler,
            refs,
            lambda name: random.Random("/".join(filter(None, (str(self._seed), name, label)))),
            shuffle=shuffle,
            any_order=any_order,
            missing=missing if self._shares.processes > 1 else None,
        )

    def state_dict(self) -> EpochsState:
        """Returns a copy of the state."""
        state: EpochsState = {
            "seed": self._seed,
            "epoch": self._number,
            "positions": {task: stream.position for task, stream in self._streams.items()},
            "carry": dict(self._carry),
        }
        if self._shares.processes > 1:
            state["taken"] = dict(self._taken)
        if self._sampler is not None and hasattr(self._sampler, "state_dict"):
            state["sampler"] = copy.deepcopy(self._sampler.state_dict())
        return state

    def load_state_dict(self, state: EpochsState) -> None:
        """
        Restores the state that `state_dict` returned.

        # Raises

        `ConfigurationError`
            If the state is of a loader with other datasets.
        """
        positions = state["positions"]
        if set(positions) != set(self._streams):
            raise ConfigurationError(
                "The state of a loader must be for its datasets, "
                f"{format_names(self._streams)}, but got {format_names(positions)}. Correct the "
                "data path, or start a new run."
            )
        self._seed = state["seed"]
        self._number = state["epoch"]
        self._carry = dict(state["carry"])
        self._taken = {task: self._taken_at(state, task) for task in self._datasets}
        self.refresh_proportions()
        for task, stream in self._streams.items():
            stream.move_to(positions[task], self._seed)
        sampler = self._sampler
        if sampler is not None and hasattr(sampler, "load_state_dict") and "sampler" in state:
            sampler.load_state_dict(copy.deepcopy(state["sampler"]))

    def _taken_at(self, state: EpochsState, task: str) -> int:
        if "taken" in state:
            return state["taken"][task]
        passes, done = state["positions"][task]
        return passes * (self._datasets[task].known_length or 0) + done


def _missing(split: Optional[Sequence[Optional[int]]], rank: int) -> Optional[int]:
    """How many instances fewer a process has than the one with most; `None` if not known."""
    counts = [count for count in split or () if count is not None]
    if split is None or len(counts) < len(split):
        return None
    return max(counts) - counts[rank]
