"""How far training has got through its epochs, for a checkpoint and for going on from one."""

from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional

from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler

from multitask_model.data.data_loaders.epochs import Counts, Epochs


class UnderWay(NamedTuple):
    """An epoch that has begun."""

    state: Dict[str, Any]
    """As it was at the beginning."""
    counts: Optional[Counts]


class EpochTracker:
    """
    Runs through epochs, and keeps count.

    AllenNLP's trainer, when it recovers from a checkpoint, goes through the batches of all epochs
    and of part of one without using them. What it gets then is empty batches, as many as there
    were, so that it counts on from the right number, and that takes no time.

    # Parameters

    epochs : `Epochs`
    scheduler : `MultiTaskScheduler`
    """

    def __init__(self, epochs: Epochs, scheduler: MultiTaskScheduler) -> None:
        self._epochs = epochs
        self._scheduler = scheduler
        self._under_way: Optional[UnderWay] = None
        self._had: List[int] = []
        self._to_go_through: List[int] = []
        self._to_skip = 0

    def __len__(self) -> int:
        """The batches of the epoch under way, or else of the next. `TypeError` if nobody knows."""
        if self._to_go_through:
            return self._to_go_through[0]
        if self._under_way is None:
            return self._scheduler.count_batches(self._epochs.counts())
        if self._under_way.counts is None:
            raise TypeError("An epoch of datasets that are read lazily has no length")
        return self._scheduler.count_batches(self._under_way.counts)

    def epoch(self, make: Callable[[Iterable[List[Any]]], Iterator[Any]]) -> Iterator[Any]:
        """The next epoch: what `make` makes of its batches."""
        if self._to_go_through:
            try:
                yield from ({} for _ in range(self._to_go_through[0]))
            finally:
                del self._to_go_through[0]
            return
        self.finish()
        under_way = self._under_way = UnderWay(self.state_dict(), self._counts())
        number = len(self._had)
        self._had.append(0)
        try:
            for batch in self._skipping(iter(self._epochs.start()), make):
                self._had[number] += 1
                yield batch
        finally:
            if self._under_way is under_way:
                self.finish()

    def _skipping(
        self,
        batches: Iterator[List[Any]],
        make: Callable[[Iterable[List[Any]]], Iterator[Any]],
    ) -> Iterator[Any]:
        skip, self._to_skip = self._to_skip, 0
        for _, _ in zip(range(skip), batches):
            yield {}
        yield from make(batches)

    def _counts(self) -> Optional[Counts]:
        try:
            return self._epochs.counts()
        except TypeError:
            return None

    def finish(self, batches: Optional[int] = None) -> None:
        """
        The epoch under way, if there is one, is over, even if it did not come to its end; so many
        of its batches were used.
        """
        self._under_way = None
        if batches is not None and self._had:
            self._had[-1] = min(self._had[-1], batches)

    def state_dict(self) -> Dict[str, Any]:
        """
        As plain data, the state at the beginning of the epoch under way, or else of the next; and
        how many batches each epoch before it had.
        """
        if self._under_way is not None:
            return self._under_way.state
        return {**self._epochs.state_dict(), "batches": list(self._had)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The next epoch is the one that the state is of."""
        self.finish()
        self._epochs.load_state_dict(state)
        self._had = list(state["batches"])
        self._to_go_through = []
        self._to_skip = 0

    def go_through(self, batches: int) -> None:
        """The epochs before the state that was loaded, and then the first batches of the next."""
        self._to_go_through = list(self._had)
        self._to_skip = batches
