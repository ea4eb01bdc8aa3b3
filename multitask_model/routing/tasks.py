"""The heads that serve each task, and the rows of a batch that each head gets."""

import logging
from typing import Dict, List, Mapping, Optional, Sequence, Set, Tuple

from allennlp.common.checks import ConfigurationError

from multitask_model.errors import check_known, format_names, format_value, suggest
from multitask_model.routing.partial import Partial
from multitask_model.routing.rows import AllRows, RowGatherer, Rows, group_rows

logger = logging.getLogger(__name__)


class TaskHeads:
    """
    Maps each task to the heads that serve it.

        >>> tasks = TaskHeads(["upos", "xpos"], {"ewt": ["upos", "xpos"], "gum": ["upos"]})
        >>> tasks.tasks_of("upos")
        ['ewt', 'gum']
        >>> rows = tasks.rows({"task": ["gum", "ewt"]})
        >>> {head: list(rows[head].indices) for head in rows}
        {'upos': [0, 1], 'xpos': [1]}

    # Parameters

    heads : `Sequence[str]`
        All heads, in their order.
    task_heads : `Mapping[str, Sequence[str]]`, optional (default = a task for each head)
        The heads that serve each task.

    # Raises

    `ConfigurationError`
        If a task has no heads, an unknown head, or the same head twice.
    """

    def __init__(
        self, heads: Sequence[str], task_heads: Optional[Mapping[str, Sequence[str]]] = None
    ) -> None:
        self._positions = {head: i for i, head in enumerate(heads)}
        self._heads_of: Dict[str, List[str]] = {}
        self._head_sets: Dict[str, Set[str]] = {}
        if task_heads is None:
            task_heads = {head: [head] for head in heads}
        for task, served_by in task_heads.items():
            self._set(task, served_by)
        used = {head for served_by in self._heads_of.values() for head in served_by}
        unused = [head for head in heads if head not in used]
        if unused:
            logger.warning(
                "The heads %s serve no task and will not be trained. Add them to task_heads.",
                format_names(unused),
            )

    def _set(self, task: str, heads: Sequence[str]) -> None:
        if isinstance(heads, str) or not heads or len(set(heads)) != len(heads):
            raise ConfigurationError(
                "task_heads must map each task to a list of one or more different heads, but got "
                f"{heads!r} for {task!r}. List the heads that serve it, or leave the task out."
            )
        unknown = [head for head in heads if head not in self._positions]
        check_known("task_heads", f"heads of the model for task {task!r}", unknown, self._positions)
        self._heads_of[task] = self.in_order(heads)
        self._head_sets[task] = set(heads)

    def add_head(self, head: str, tasks: Sequence[str]) -> None:
        """Adds a head, the last in the order. It serves `tasks`, which may be new."""
        self._positions[head] = len(self._positions)
        for task in tasks:
            self._set(task, [*self._heads_of.get(task, []), head])

    def in_order(self, heads: Sequence[str]) -> List[str]:
        """Sorts heads in the order of the model's heads."""
        return sorted(heads, key=self._positions.__getitem__)

    @property
    def names(self) -> List[str]:
        """All tasks."""
        return list(self._heads_of)

    @property
    def heads(self) -> List[str]:
        """All heads, in their order."""
        return list(self._positions)

    def heads_of(self, task: str) -> List[str]:
        """Returns the heads that serve a task."""
        return list(self._heads_of[task])

    def tasks_of(self, head: str) -> List[str]:
        """Returns the tasks that a head serves."""
        return [task for task, heads in self._head_sets.items() if head in heads]

    def rows(self, batch: Mapping[str, object]) -> Dict[str, AllRows]:
        """
        Selects the rows of each head.

        # Parameters

        batch : `Mapping[str, object]`
            The fields of a batch: the `task` of each instance, and optionally `heads`, a list of
            names for each instance that restricts the heads that serve it. An instance whose task
            is `None` is served by exactly the heads that it names.

        # Returns

        `Dict[str, AllRows]`
            The rows of each head that has any, in the order of the heads.

        # Raises

        `ValueError`
            If there is no `task` or an unknown one, `heads` has something else than lists of names
            of heads that serve the task, or no head has any rows.
        """
        tasks = batch.get("task")
        if type(tasks) is list and tasks and "heads" not in batch:
            # The fast path: a batch of one task.
            heads = self._heads_of.get(tasks[0]) if type(tasks[0]) is str else None
            if heads is not None and tasks.count(tasks[0]) == len(tasks):
                return dict.fromkeys(heads, AllRows(len(tasks)))
        names = self._tasks(batch)
        by_head = self._indices(names, batch.get("heads"))
        if not by_head:
            raise ValueError(
                "A batch must have at least one instance for one of the heads "
                f"{format_names(self._positions)}, but {'heads' if names else 'task'!r} is empty "
                "in this batch. Leave such batches out."
            )
        return self._group(by_head, len(names))

    def _group(self, by_head: Dict[str, Tuple[int, ...]], batch_size: int) -> Dict[str, AllRows]:
        # Heads with the same rows share a group, so that nothing is gathered twice.
        groups = [rows for rows in dict.fromkeys(by_head.values()) if len(rows) < batch_size]
        gatherer = RowGatherer(groups)
        rows = {
            indices: Rows(indices, batch_size, gatherer, group)
            for group, indices in enumerate(groups)
        }
        heads, all_rows = self.in_order(list(by_head)), AllRows(batch_size)
        return {head: rows.get(by_head[head], all_rows) for head in heads}

    def _tasks(self, batch: Mapping[str, object]) -> Sequence[str]:
        tasks = batch.get("task")
        if tasks is None or isinstance(tasks, Partial):
            found = "only some of them do" if tasks else f"the batch has only {format_names(batch)}"
            raise ValueError(
                "Each instance of a batch must have a MetadataField 'task', which selects the "
                f"heads that serve it, but {found}. A multitask dataset reader adds this field."
            )
        if isinstance(tasks, str):
            raise ValueError(
                "The 'task' of a batch must be a list with one name for each instance, but got the "
                f"string {tasks!r}. Write [{tasks!r}] * B for B instances."
            )
        names: List[str] = list(tasks)  # type: ignore[call-overload]
        for task in names:
            if task is None and "heads" in batch:
                continue
            if not isinstance(task, str) or task not in self._heads_of:
                raise ValueError(self.unknown_task(task))
        return names

    def unknown_task(self, task: object) -> str:
        """Returns the error message for a task that has no heads."""
        return (
            f"The 'task' of each instance must be one of the model's tasks, but got {task!r}."
            f"{suggest(task, self._heads_of)} The tasks are {format_names(self._heads_of)}. Name "
            "it in task_heads of the model, or correct the name of its dataset reader."
        )

    def _indices(self, tasks: Sequence[str], restricted: object) -> Dict[str, Tuple[int, ...]]:
        if restricted is None:
            return self._indices_of_tasks(tasks)
        names: List[Optional[Sequence[str]]] = [None] * len(tasks)
        if isinstance(restricted, Partial):
            lists = _lists_of_names(restricted.value, len(restricted.rows))
            for row, value in zip(restricted.rows, lists):
                names[row] = value
        else:
            names = _lists_of_names(restricted, len(tasks))
        keys = [(task, None if n is None else tuple(n)) for task, n in zip(tasks, names)]
        by_head: Dict[str, List[int]] = {}
        for (task, chosen), indices in group_rows(keys).items():
            for head in self.restrict(task, chosen):
                by_head.setdefault(head, []).extend(indices)
        return {head: tuple(sorted(indices)) for head, indices in by_head.items()}

    def _indices_of_tasks(self, tasks: Sequence[str]) -> Dict[str, Tuple[int, ...]]:
        by_head: Dict[str, List[int]] = {}
        for task, rows in group_rows(tasks).items():
            for head in self._heads_of[task]:
                by_head[head] = sorted(by_head[head] + rows) if head in by_head else rows
        return {head: tuple(indices) for head, indices in by_head.items()}

    def restrict(self, task: Optional[str], names: Optional[Sequence[str]]) -> List[str]:
        """
        Returns the heads of a task that are among `names`, or all of them if `names` is `None`.
        Without a task, any heads of the model.

        # Raises

        `ValueError`
            If one of the names is not a head that serves the task, or there are no names and no
            task.
        """
        if task is None:
            return self._without_task(names)
        heads = self._heads_of[task]
        for name in names or ():
            if name not in heads:
                raise ValueError(
                    f"The 'heads' of an instance must serve its task, but got {name!r}, which does "
                    f"not serve {task!r}.{suggest(name, heads)} The heads of {task!r} are "
                    f"{format_names(heads)}."
                )
        return heads if names is None else [head for head in heads if head in names]

    def _without_task(self, names: Optional[Sequence[str]]) -> List[str]:
        unknown = [name for name in names or () if name not in self._positions]
        if names is None or unknown:
            found = f"got {unknown[0]!r}" if unknown else "has no such list"
            raise ValueError(
                "An instance without a task must have the field 'heads' with a list of heads of "
                f"the model, but {found}.{suggest(unknown[0], self._positions) if unknown else ''} "
                f"The heads are {format_names(self._positions)}."
            )
        return self.in_order(list(dict.fromkeys(names)))


def _lists_of_names(values: object, size: int) -> List[Optional[Sequence[str]]]:
    """Checks the values of the field `heads` of `size` instances."""
    if not isinstance(values, (list, tuple)) or len(values) != size:
        raise ValueError(_not_names(values, f"a batch of {size} instances"))
    for value in values:
        is_list = isinstance(value, (list, tuple, set, frozenset))
        if value is not None and not (is_list and all(isinstance(name, str) for name in value)):
            raise ValueError(_not_names(value, "an instance"))
    return list(values)


def _not_names(value: object, of: str) -> str:
    return (
        "The field 'heads' of each instance must be a MetadataField with a list of names of heads, "
        f"or None for all heads of its task, but got {format_value(value)} for {of}. Write it as "
        'MetadataField(["NAME"]) in the dataset reader.'
    )


def check_tasks(head: str, tasks: Sequence[str]) -> None:
    """
    Checks the tasks of a head that is to be added.

    # Raises

    `ConfigurationError`
        If `tasks` is not a list of one or more different names.
    """
    if isinstance(tasks, str) or not tasks or len(set(tasks)) != len(tasks):
        raise ConfigurationError(
            "tasks must be a list of one or more different tasks that a head serves, but got "
            f"{tasks!r} for {head!r}. List each task once."
        )
