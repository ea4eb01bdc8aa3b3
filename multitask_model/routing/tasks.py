"""Which heads serve each task, and which rows of a batch they get."""

import logging
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from allennlp.common.checks import ConfigurationError

from multitask_model.errors import check_known, format_names, suggest
from multitask_model.routing.partial import Partial
from multitask_model.routing.rows import AllRows, RowGatherer, Rows, group_rows

logger = logging.getLogger(__name__)


class TaskHeads:
    """
    # Parameters

    heads : `Sequence[str]`
    task_heads : `Mapping[str, Sequence[str]]`, optional (default = a task for each head)
        The heads that serve each task.

    # Raises

    `ConfigurationError`
        If a task has no heads, a head that is not there, or one head twice.
    """

    def __init__(
        self, heads: Sequence[str], task_heads: Optional[Mapping[str, Sequence[str]]] = None
    ) -> None:
        self.positions = {head: i for i, head in enumerate(heads)}
        self.by_task: Dict[str, List[str]] = {}
        if task_heads is None:
            task_heads = {head: [head] for head in heads}
        for task, served_by in task_heads.items():
            self._set(task, served_by)
        idle = [head for head in heads if not self.tasks_of(head)]
        if idle:
            logger.warning(
                "No task reaches the heads %s: they will not be trained. Add them to task_heads.",
                format_names(idle),
            )

    def _set(self, task: str, heads: Sequence[str]) -> None:
        if isinstance(heads, str) or not heads or len(set(heads)) != len(heads):
            raise ConfigurationError(
                "task_heads must map each task to a list of one or more different heads, but "
                f"{task!r} has {heads!r}. Name the heads that serve it, or leave the task out."
            )
        check_known("task_heads", f"heads of the model for task {task!r}", heads, self.positions)
        self.by_task[task] = sorted(heads, key=self.positions.__getitem__)

    def add(self, head: str, tasks: Sequence[str]) -> None:
        """Adds a head to the end of the order. It serves `tasks`, old or new."""
        self.positions[head] = len(self.positions)
        for task in tasks:
            self._set(task, [*self.by_task.get(task, []), head])

    def tasks_of(self, head: str) -> List[str]:
        return [task for task, heads in self.by_task.items() if head in heads]

    def rows(self, batch: Mapping[str, Any]) -> Dict[str, AllRows]:
        """
        # Parameters

        batch : `Mapping[str, Any]`
            The fields of a batch, with the `task` of each instance, and perhaps its `heads`, a
            list of names that narrows the heads that serve it.

        # Returns

        `Dict[str, AllRows]`
            The rows of each head that has any in this batch, in the order of the heads.

        # Raises

        `ValueError`
            If there is no `task`, or an unknown one; if `heads` names one that does not serve the
            task; or if no head has anything to do.
        """
        tasks = batch.get("task")
        if type(tasks) is list and tasks and "heads" not in batch:
            heads = self.by_task.get(tasks[0]) if type(tasks[0]) is str else None
            if heads is not None and tasks.count(tasks[0]) == len(tasks):
                return dict.fromkeys(heads, AllRows(len(tasks)))
        tasks = self._tasks(batch)
        by_head = self._indices(tasks, batch.get("heads"))
        if not by_head:
            raise ValueError(
                f"A batch needs at least one instance for one of the heads "
                f"{format_names(self.positions)}, but no head has anything to do in this one: its "
                f"{'heads' if tasks else 'task'!r} is empty. Leave such batches out."
            )
        # Heads with the same rows share them, so that nothing is taken twice.
        numbers = {indices: i for i, indices in enumerate(dict.fromkeys(by_head.values()))}
        shares = RowGatherer(list(numbers))
        rows = {
            indices: Rows(indices, len(tasks), shares, number)
            if len(indices) < len(tasks)
            else AllRows(len(tasks))
            for indices, number in numbers.items()
        }
        order = sorted(by_head, key=self.positions.__getitem__)
        return {head: rows[by_head[head]] for head in order}

    def _tasks(self, batch: Mapping[str, Any]) -> Sequence[str]:
        tasks = batch.get("task")
        if tasks is None or isinstance(tasks, Partial):
            found = (
                "only some of its instances do" if tasks else f"it has only {format_names(batch)}"
            )
            raise ValueError(
                "Each instance of a batch needs a MetadataField 'task' that says which heads serve "
                f"it, but {found}. A multitask dataset reader adds that field."
            )
        tasks = tasks if isinstance(tasks, list) else list(tasks)
        for task in tasks:
            if not isinstance(task, str) or task not in self.by_task:
                raise ValueError(
                    f"The 'task' of each instance must be one of the model's tasks, but there is "
                    f"the unknown task {task!r}.{suggest(task, self.by_task)} The tasks are "
                    f"{format_names(self.by_task)}."
                )
        return tasks

    def _indices(self, tasks: Sequence[str], narrowed: Any) -> Dict[str, Tuple[int, ...]]:
        names: List[Any] = [None] * len(tasks)
        if isinstance(narrowed, Partial):
            for row, value in zip(narrowed.rows, narrowed.value):
                names[row] = value
        elif narrowed is not None:
            names = list(narrowed)
        keys = [(task, None if n is None else tuple(n)) for task, n in zip(tasks, names)]
        by_head: Dict[str, List[int]] = {}
        for (task, chosen), indices in group_rows(keys).items():
            for head in self.restrict(task, chosen):
                by_head.setdefault(head, []).extend(indices)
        return {head: tuple(sorted(indices)) for head, indices in by_head.items()}

    def restrict(self, task: str, names: Optional[Sequence[str]]) -> List[str]:
        """
        The heads of `task` that are among `names`, all if that is `None`.

        # Raises

        `ValueError`
            If one of the names is not a head that serves the task.
        """
        heads = self.by_task[task]
        for name in names or ():
            if name not in heads:
                raise ValueError(
                    f"The 'heads' of an instance must be among those that serve its task, but "
                    f"{name!r} does not serve {task!r}.{suggest(name, heads)} The heads of "
                    f"{task!r} are {format_names(heads)}."
                )
        return heads if names is None else [head for head in heads if head in names]


def check_tasks(head: str, tasks: Sequence[str]) -> None:
    """
    # Raises

    `ConfigurationError`
        If `tasks` is not a list of one or more different names.
    """
    if isinstance(tasks, str) or not tasks or len(set(tasks)) != len(tasks):
        raise ConfigurationError(
            "tasks must be a list of one or more different names of the tasks that a head serves, "
            f"but for {head!r} it is {tasks!r}. Name them, each once."
        )
