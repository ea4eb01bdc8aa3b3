"""The instances and the seconds of each task in an epoch."""

import contextlib
import time
from collections import Counter
from typing import Any, Dict, Iterator, Mapping, Optional, Sequence

import torch

from multitask_model.distributed import FILLER
from multitask_model.routing.tasks import TaskHeads


class TaskCounts:
    """
    Counts training instances and the seconds of training steps by task and by head. The seconds of
    a step with several tasks are split in proportion to their instances.

        >>> counts = TaskCounts(TaskHeads(["a", "b"], {"news": ["a", "b"], "mail": ["a"]}))
        >>> counts.add([{"task": ["news", "mail", "mail", "mail"]}], seconds=2.0)
        >>> counts.instances["mail"], counts.seconds["mail"], counts.head_instances["b"]
        (3, 1.5, 1)

    # Parameters

    tasks : `TaskHeads`
    """

    def __init__(self, tasks: TaskHeads) -> None:
        self._tasks = tasks
        self.reset()

    def reset(self) -> None:
        """Starts an epoch."""
        self.instances: Dict[str, int] = {}
        self.seconds: Dict[str, float] = {}
        self.head_instances: Dict[str, int] = {}
        self.head_seconds: Dict[str, float] = {}
        self.has_mixed_batches = False

    def add(self, batches: Sequence[Mapping[str, object]], seconds: float) -> None:
        """Adds the batches of one training step."""
        batches = [batch for batch in batches if FILLER not in batch]
        tasks = Counter(task for batch in batches for task in batch["task"])  # type: ignore
        heads: Dict[str, int] = Counter()
        for batch in batches:
            heads.update({head: len(rows) for head, rows in self._tasks.rows(batch).items()})
        total = max(1, sum(tasks.values()))
        self.has_mixed_batches |= len(tasks) > 1
        _add(self.instances, tasks)
        _add(self.head_instances, heads)
        _add(self.seconds, {task: seconds * count / total for task, count in tasks.items()})
        _add(self.head_seconds, {head: seconds * count / total for head, count in heads.items()})

    def to_json(self) -> Dict[str, Any]:
        """Returns what was counted, by the names of the fields of `EpochRecord`."""
        return {
            "instances": self.instances,
            "seconds": self.seconds,
            "head_instances": self.head_instances,
            "head_seconds": self.head_seconds,
            "has_mixed_batches": self.has_mixed_batches,
        }

    def merge(self, counted: Mapping[str, Any], processes: int = 1) -> None:
        """
        Adds what another process counted, or this one before it was interrupted. Processes work at
        the same time: of their seconds, the mean counts.
        """
        _add(self.instances, counted["instances"])
        _add(self.head_instances, counted["head_instances"])
        for own, name in ((self.seconds, "seconds"), (self.head_seconds, "head_seconds")):
            _add(own, {key: value / processes for key, value in counted[name].items()})
        self.has_mixed_batches |= counted["has_mixed_batches"]


def _add(total: Dict[str, Any], counts: Mapping[str, Any]) -> None:
    for name, value in counts.items():
        total[name] = total.get(name, 0) + value


class StepTimer:
    """
    Measures the seconds since the model was first called after the last `stop`.

        >>> model, timer = torch.nn.Linear(2, 2), StepTimer()
        >>> with timer.attached(model):
        ...     _ = model(torch.ones(1, 2))
        >>> timer.stop() > 0.0, timer.stop()
        (True, 0.0)
    """

    def __init__(self) -> None:
        self._start: Optional[float] = None
        self._handle: Any = None

    def attach(self, model: torch.nn.Module) -> None:
        """Starts to time the calls of a model."""
        self._handle = model.register_forward_pre_hook(lambda *_: self._note())

    def detach(self) -> None:
        """Ends it."""
        if self._handle is not None:
            self._handle.remove()

    @contextlib.contextmanager
    def attached(self, model: torch.nn.Module) -> Iterator[None]:
        """Times the calls of a model in a `with` statement."""
        self.attach(model)
        try:
            yield
        finally:
            self.detach()

    def _note(self) -> None:
        self._start = time.perf_counter() if self._start is None else self._start

    def stop(self) -> float:
        """Returns the seconds; 0 if the model was not called."""
        start, self._start = self._start, None
        return 0.0 if start is None else time.perf_counter() - start
