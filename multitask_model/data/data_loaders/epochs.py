"""What comes in an epoch, as a function of a seed, the number of the epoch and positions."""

import copy
import random
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sized, Tuple

from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance
from allennlp.data.data_loaders import multitask_scheduler
from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler

from multitask_model.data.data_loaders.apportionment import apportion, check_proportions
from multitask_model.data.data_loaders.instance_streams import (
    InstanceRef,
    LazyStream,
    MemoryStream,
    SizedIterable,
    Stream,
)
from multitask_model.data.data_loaders.task_dataset import TaskDataset
from multitask_model.data.schedulers import Scheduler
from multitask_model.errors import format_names

Counts = Dict[str, int]
EpochRefs = Dict[str, Iterable[InstanceRef]]

# They do not look at what they put together. Others may, subclasses of these included, so they get
# the instances.
_TAKE_KEYS = (
    multitask_scheduler.RoundRobinScheduler,
    multitask_scheduler.HomogeneousRoundRobinScheduler,
)


class Epochs:
    """
    Makes one epoch after the other, as lists of keys that are to be batches.

    # Parameters

    loaders : `Dict[str, TaskDataset]`
    scheduler : `MultiTaskScheduler`
    sampler : `MultiTaskEpochSampler`, optional (default = `None`)
    instances_per_epoch : `int`, optional (default = `None`)
        With it there must be a sampler.
    shuffle : `bool`, optional (default = `None`)
        If `None`, epochs are shuffled and evaluations are not.
    bucket : `Callable`, optional (default = `None`)
        Puts the share that a task has of an epoch that is shuffled into another order.
    instance_of : `Callable`
        The instance of a key.
    """

    def __init__(
        self,
        loaders: Dict[str, TaskDataset],
        scheduler: MultiTaskScheduler,
        sampler: Any,
        instances_per_epoch: Optional[int],
        shuffle: Optional[bool],
        bucket: Optional[
            Callable[[str, Iterable[InstanceRef], random.Random], Iterable[InstanceRef]]
        ],
        instance_of: Callable[[InstanceRef], Instance],
    ) -> None:
        self._loaders = loaders
        self._scheduler = scheduler
        self._sampler = sampler
        self._instances_per_epoch = instances_per_epoch
        self._shuffle = shuffle
        self._bucket = bucket
        self._instance_of = instance_of
        # AllenNLP seeds Python's generator from the config.
        self._seed = random.getrandbits(32)
        self._number = 0
        self._evaluations = 0
        self._owed = dict.fromkeys(loaders, 0.0)
        self._next: Optional[Tuple[Counts, Dict[str, float]]] = None
        self._streams = {task: self._stream(task) for task in loaders}

    def _stream(self, task: str) -> Stream:
        loader = self._loaders[task]
        stream = LazyStream if loader.instances is None else MemoryStream
        return stream(task, loader, self._seed, self._shuffle is not False)

    def counts(self) -> Counts:
        """How many instances of each task the next epoch has. `TypeError` if nobody knows."""
        if self._instances_per_epoch is None:
            return {task: stream.rest_of_pass() for task, stream in self._streams.items()}
        return self._apportioned()[0]

    def forget_shares(self) -> None:
        """Has the sampler asked again for the shares of the next epoch."""
        self._next = None

    def _apportioned(self) -> Tuple[Counts, Dict[str, float]]:
        if self._next is None:
            # Once for each epoch, as in AllenNLP: a sampler may count, or rng at random.
            self._next = self._ask_sampler()
        return self._next

    def _ask_sampler(self) -> Tuple[Counts, Dict[str, float]]:
        assert self._instances_per_epoch is not None
        if hasattr(self._sampler, "start_epoch"):
            self._sampler.start_epoch(self._number)
        proportions = check_proportions(
            self._sampler.get_task_proportions(self._loaders), self._loaders, self._sampler
        )
        return apportion(self._instances_per_epoch, proportions, self._owed)

    def start(self) -> Iterable[List[InstanceRef]]:
        """The batches of the next epoch, and on to the one after it."""
        counts: Mapping[str, Optional[int]] = dict.fromkeys(self._loaders)
        if self._instances_per_epoch is not None:
            counts, self._owed = self._apportioned()
            self.forget_shares()
        number, self._number = self._number, self._number + 1
        shares = {task: stream.take(counts[task]) for task, stream in self._streams.items()}
        shuffle = self._shuffle is not False
        return self._batches(self._scheduler, shares, f"epoch {number}", shuffle)

    def evaluation(self) -> Iterable[List[InstanceRef]]:
        """Batches of all instances once, which leaves the epochs as they are."""
        number = f"evaluation {self._evaluations}"
        self._evaluations += 1
        shuffle = self._shuffle is True
        shares = {task: s.whole(number, shuffle) for task, s in self._streams.items()}
        number = number if shuffle else "evaluation"
        return self._batches(without_dropping(self._scheduler), shares, number, shuffle)

    def _batches(
        self, scheduler: MultiTaskScheduler, shares: EpochRefs, number: str, shuffle: bool
    ) -> Iterable[List[InstanceRef]]:
        if self._bucket is not None and shuffle:
            for task, share in shares.items():
                rng = random.Random(f"{self._seed}/{task}/{number}")
                shares[task] = self._bucket(task, share, rng)
        if hasattr(scheduler, "set_random"):
            scheduler.set_random(random.Random(f"{self._seed}/{number}"))
        if isinstance(scheduler, Scheduler) or type(scheduler) in _TAKE_KEYS:
            batches: Any = scheduler.batch_instances(shares)  # type: ignore[arg-type]
            return batches
        return self._batches_by_instances(scheduler, shares)

    def _batches_by_instances(
        self, scheduler: MultiTaskScheduler, shares: EpochRefs
    ) -> Iterator[List[InstanceRef]]:
        keys: Dict[int, InstanceRef] = {}

        def instance_of(key: InstanceRef) -> Instance:
            instance = self._instance_of(key)
            if isinstance(key, tuple):  # it stays in memory, so its id stays its own
                keys[id(instance)] = key
            return instance

        instances: Dict[str, Iterable[Instance]] = {}
        for task, share in shares.items():
            mapped = map(instance_of, share)
            instances[task] = (
                SizedIterable(mapped, len(share)) if isinstance(share, Sized) else mapped
            )
        for batch in scheduler.batch_instances(instances):
            yield [keys.get(id(instance), instance) for instance in batch]

    def state_dict(self) -> Dict[str, Any]:
        state = {
            "seed": self._seed,
            "epoch": self._number,
            "positions": {task: stream.position for task, stream in self._streams.items()},
            "owed": dict(self._owed),
        }
        if hasattr(self._sampler, "state_dict"):
            state["sampler"] = copy.deepcopy(self._sampler.state_dict())
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """
        # Raises

        `ConfigurationError`
            If the state is that of other tasks.
        """
        positions = state["positions"]
        if set(positions) != set(self._streams):
            raise ConfigurationError(
                "To go on from a checkpoint, the loader must have the datasets that it had, but "
                f"these were {format_names(positions)} and now are {format_names(self._streams)}. "
                f"Correct "
                "the data path, or begin a new run."
            )
        self._seed = state["seed"]
        self._number = state["epoch"]
        self._owed = dict(state["owed"])
        self.forget_shares()
        for task, stream in self._streams.items():
            stream.move_to(positions[task], self._seed)
        if hasattr(self._sampler, "load_state_dict") and "sampler" in state:
            self._sampler.load_state_dict(copy.deepcopy(state["sampler"]))


def without_dropping(scheduler: MultiTaskScheduler) -> MultiTaskScheduler:
    """The scheduler, or one like it that drops nothing, for evaluation."""
    if not getattr(scheduler, "drop_last", False):
        return scheduler
    whole: Any = copy.copy(scheduler)
    whole.drop_last = False
    return whole
