"""The progress of training through its epochs, for checkpoints."""

import contextlib
from typing import Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional

from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler

from multitask_model.data.data_loaders.epoch_batches import EpochBatcher  # noqa: F401  (an example)
from multitask_model.data.data_loaders.epochs import Counts, Epochs, EpochsState
from multitask_model.data.data_loaders.instance_streams import InstanceRef

Batch = Dict[str, object]
Collate = Callable[[Iterable[List[InstanceRef]]], Iterator[Batch]]


class LoaderState(EpochsState):
    """The state of a loader: that of its epochs, and the number of batches in each past epoch."""

    batches: List[int]


class _CurrentEpoch(NamedTuple):
    """
    An epoch that has started: the state at its start, and its counts, or the number of its batches,
    if they are known.
    """

    state: LoaderState
    counts: Optional[Counts]
    length: Optional[int]


class _Plan(NamedTuple):
    """The batches of the next epoch, made early to count them, and the state before them."""

    state: EpochsState
    batches: List[List[InstanceRef]]


class EpochTracker:
    """
    Iterates over epochs and counts their batches.

    A trainer that recovers from a checkpoint iterates over all batches that were trained on and
    skips them. After `fast_forward`, these batches are empty dictionaries, which take no time.

        >>> from multitask_model.data.schedulers import ShuffledScheduler
        >>> scheduler = ShuffledScheduler(batch_size=2)
        >>> batcher = EpochBatcher({}, lambda ref: ref)
        >>> tracker = EpochTracker(Epochs({}, scheduler, batcher, seed=0), scheduler)
        >>> state = {"seed": 0, "epoch": 1, "positions": {}, "carry": {}, "batches": [3]}
        >>> tracker.load_state_dict(state)
        >>> tracker.fast_forward(0)
        >>> list(tracker.epoch(collate=iter))
        [{}, {}, {}]

    # Parameters

    epochs : `Epochs`
    scheduler : `MultiTaskScheduler`
    """

    def __init__(self, epochs: Epochs, scheduler: MultiTaskScheduler) -> None:
        self._epochs = epochs
        self._scheduler = scheduler
        self._current: Optional[_CurrentEpoch] = None
        self._plan: Optional[_Plan] = None
        self._batch_counts: List[int] = []
        self._epochs_to_skip: List[int] = []
        self._batches_to_skip = 0

    def __len__(self) -> int:
        """
        Returns the number of batches in the current epoch or, between epochs, in the next one.
        Raises `TypeError` if a dataset has no length.
        """
        if self._epochs_to_skip:
            return self._epochs_to_skip[0]
        if self._current is None:
            plan = self._make_plan()
            return self._count(None, self._epochs.counts()) if plan is None else len(plan.batches)
        return self._count(self._current.length, self._current.counts)

    def _count(self, length: Optional[int], counts: Optional[Counts]) -> int:
        if length is not None:
            return length
        if counts is None:
            raise TypeError("An epoch of datasets that are read lazily has no length")
        return self._scheduler.count_batches(counts)

    def _make_plan(self) -> Optional[_Plan]:
        """Returns the plan, or `None` if the batches need not be made to count them."""
        if self._plan is None and self._epochs.has_budget:
            state = self._epochs.state_dict()
            self._plan = _Plan(state, self._epochs.start_counted())
        return self._plan

    def discard_plan(self) -> None:
        """Lets the sampler be asked again for the proportions of the next epoch."""
        if self._plan is not None:
            self._epochs.load_state_dict(self._plan.state)
            self._plan = None
        self._epochs.refresh_proportions()

    def epoch(self, collate: Collate) -> Iterator[Batch]:
        """Starts the next epoch and yields its batches, collated by `collate`."""
        if self._epochs_to_skip:
            try:
                yield from ({} for _ in range(self._epochs_to_skip[0]))
            finally:
                del self._epochs_to_skip[0]
            return
        self.finish()
        self._epochs.agree_on_proportions()
        current = self._current = self._start()
        counts, number = self._batch_counts, len(self._batch_counts)
        counts.append(0)
        try:
            for batch in self._batches(collate):
                counts[number] += 1
                yield batch
        finally:
            if self._current is current:
                self.finish()

    def _batches(self, collate: Collate) -> Iterator[Batch]:
        plan, self._plan = self._plan, None
        batches = iter(self._epochs.start() if plan is None else plan.batches)
        skip, self._batches_to_skip = self._batches_to_skip, 0
        for _, _ in zip(range(skip), batches):
            yield {}
        yield from collate(batches)

    def _start(self) -> _CurrentEpoch:
        with contextlib.suppress(TypeError):  # a dataset that is read lazily has no length
            plan = self._make_plan()
            if plan is not None:
                return _CurrentEpoch(self.state_dict(), None, len(plan.batches))
            return _CurrentEpoch(self.state_dict(), self._epochs.counts(), None)
        return _CurrentEpoch(self.state_dict(), None, None)

    def restart_count(self) -> None:
        """Ends the current epoch, if there is one, and forgets the batches of all past epochs."""
        self.finish()
        self._batch_counts = []  # an epoch that is still iterated over keeps the old list

    def finish(self, batches: Optional[int] = None) -> None:
        """
        Ends the current epoch, if there is one. If `batches` is given, only that many of its
        batches count as used.
        """
        self._current = None
        if batches is not None and self._batch_counts:
            self._batch_counts[-1] = min(self._batch_counts[-1], batches)

    def state_dict(self) -> LoaderState:
        """Returns the state at the start of the current or, between epochs, of the next epoch."""
        if self._current is not None:
            return self._current.state
        state = self._epochs.state_dict() if self._plan is None else self._plan.state
        return {**state, "batches": list(self._batch_counts)}

    def load_state_dict(self, state: LoaderState) -> None:
        """Restores a state. The next epoch is the one at whose start it was saved."""
        self.finish()
        self._plan = None
        self._epochs.load_state_dict(state)
        self._batch_counts = list(state["batches"])
        self._epochs_to_skip = []
        self._batches_to_skip = 0

    def fast_forward(self, batches: int) -> None:
        """
        Inserts empty batches before the next epoch, for all epochs before the loaded state, and
        replaces the first `batches` batches of the next epoch by empty ones.
        """
        self._epochs_to_skip = list(self._batch_counts)
        self._batches_to_skip = batches
