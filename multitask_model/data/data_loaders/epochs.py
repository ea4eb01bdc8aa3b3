"""The batches of each epoch. They depend on a seed, the epoch number and positions only."""

import contextlib
import copy
import random
from typing import (
    Any,
    Callable,
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
from allennlp.data import Instance
from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler
from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler

from multitask_model.data.data_loaders.apportionment import apportion, check_proportions
from multitask_model.data.data_loaders.instance_streams import (
    InstanceRef,
    LazyStream,
    MemoryStream,
    Placeholder,
    Stream,
)
from multitask_model.data.data_loaders.process_shares import (
    ProcessShares,
    in_step,
    with_placeholders,
    without_placeholders,
)
from multitask_model.data.data_loaders.scheduler_adapter import (
    batch_refs,
    reads_instances,
    without_drop_last,
)
from multitask_model.data.data_loaders.task_dataset import TaskDataset
from multitask_model.distributed import gather
from multitask_model.errors import format_names

Counts = Dict[str, int]
EpochRefs = Dict[str, Iterable[InstanceRef]]
Reorder = Callable[[str, Iterable[InstanceRef], random.Random], Iterable[InstanceRef]]


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
        >>> get_instance = lambda ref: datasets[ref[0]].instances[ref[1]]
        >>> epochs = Epochs(datasets, ShuffledScheduler(2), get_instance, seed=0)
        >>> list(epochs.start()), epochs.state_dict()["positions"]
        ([[('tweets', 2), ('tweets', 1)], [('tweets', 0)]], {'tweets': [1, 0]})

    # Parameters

    datasets : `Dict[str, TaskDataset]`
    scheduler : `MultiTaskScheduler`
    get_instance : `Callable[[InstanceRef], Instance]`
        Returns the instance of a reference.
    seed : `int`
    sampler : `MultiTaskEpochSampler`, optional (default = `None`)
        Required with `instances_per_epoch`.
    instances_per_epoch : `int`, optional (default = `None`)
        By default, an epoch is a full pass over all datasets.
    shuffle : `bool`, optional (default = `None`)
        By default, epochs are shuffled and evaluations are not.
    reorder : `Reorder`, optional (default = `None`)
        Reorders a task's instances in a shuffled epoch, such as `LengthBucketer.reorder`.
    shares : `ProcessShares`, optional (default = this process takes all instances)
        The share of each process in distributed training.
    """

    def __init__(
        self,
        datasets: Dict[str, TaskDataset],
        scheduler: MultiTaskScheduler,
        get_instance: Callable[[InstanceRef], Instance],
        seed: int,
        *,
        sampler: Optional[MultiTaskEpochSampler] = None,
        instances_per_epoch: Optional[int] = None,
        shuffle: Optional[bool] = None,
        reorder: Optional[Reorder] = None,
        shares: Optional[ProcessShares] = None,
    ) -> None:
        self._datasets = datasets
        self._scheduler = scheduler
        self._sampler = sampler
        self._instances_per_epoch = instances_per_epoch
        self._shuffle = shuffle
        self._reorder = reorder
        self._get_instance = get_instance
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

    def evaluation_counts(self) -> Counts:
        """Returns the same numbers for an evaluation."""
        return {task: max(self._known_lengths(task)) for task in self._datasets}

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

    def start(self) -> Iterable[List[InstanceRef]]:
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
        missing = {task: _missing(of_task, self._shares.rank) for task, of_task in split.items()}
        shuffle = self._shuffle is not False
        return self._batches(self._scheduler, refs, missing, f"epoch {number}", shuffle)

    def _take(self, task: str, split: Optional[List[int]]) -> Iterable[InstanceRef]:
        return self._streams[task].take(None if split is None else split[self._shares.rank])

    def evaluation(self) -> Iterable[List[InstanceRef]]:
        """Returns batches with all instances once. The state of the epochs does not change."""
        label = f"evaluation {self._evaluations}"
        self._evaluations += 1
        shuffle = self._shuffle is True
        refs = {task: s.full_pass(label, shuffle) for task, s in self._streams.items()}
        label = label if shuffle else "evaluation"
        lengths = {task: self._shares.of(task) for task in self._datasets}
        missing = {task: _missing(of_task, self._shares.rank) for task, of_task in lengths.items()}
        return self._batches(without_drop_last(self._scheduler), refs, missing, label, shuffle)

    def _batches(
        self,
        scheduler: MultiTaskScheduler,
        refs: EpochRefs,
        missing: Mapping[str, Optional[int]],
        label: str,
        shuffle: bool,
    ) -> Iterable[List[InstanceRef]]:
        if self._reorder is not None and shuffle:
            for task, of_task in refs.items():
                rng = random.Random(f"{self._seed}/{task}/{label}")
                refs[task] = self._reorder(task, of_task, rng)
        if hasattr(scheduler, "set_random"):
            scheduler.set_random(random.Random(f"{self._seed}/{label}"))
        if self._shares.processes == 1:
            return batch_refs(scheduler, refs, self._get_instance)
        for task, number in missing.items():
            refs[task] = with_placeholders(task, refs[task], number or 0)
        examples = [d.first for d in self._datasets.values() if d.first is not None]
        if not reads_instances(scheduler) and None not in missing.values():
            return without_placeholders(batch_refs(scheduler, refs, self._get_instance))
        # Other instances, or other numbers of them, may make other numbers of batches.
        batches = batch_refs(scheduler, refs, self._instance) if examples else ()
        return in_step(without_placeholders(batches))

    def _instance(self, ref: InstanceRef) -> Instance:
        """The instance of a reference; for a placeholder, one of its task if there is any."""
        if not isinstance(ref, Placeholder):
            return self._get_instance(ref)
        datasets = [self._datasets[ref.task], *self._datasets.values()]
        return next(dataset.first for dataset in datasets if dataset.first is not None)

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
