"""The options of the loader: how they fit together, and what they are for each task."""

import logging
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from allennlp.common.checks import ConfigurationError
from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler

from multitask_model.data.schedulers import ShuffledScheduler
from multitask_model.errors import check_known, format_names, suggest

logger = logging.getLogger(__name__)

START_METHODS = ["fork", "forkserver", "spawn"]


class Workers(NamedTuple):
    """How many processes make batches, and how they are started."""

    number: int
    start_method: str


class _Kind(NamedTuple):
    requires: str
    fits: Callable[[Any], bool]


def _at_least(least: int) -> _Kind:
    return _Kind(
        f"a whole number of at least {least}",
        lambda value: type(value) is int and value >= least,
    )


_KINDS: Dict[str, _Kind] = {
    "num_workers": _at_least(0),
    "max_instances_in_memory": _at_least(1),
    "start_method": _Kind(f"one of {format_names(START_METHODS)}", START_METHODS.__contains__),
    "instance_queue_size": _at_least(1),
    "instance_chunk_size": _at_least(1),
    "instances_per_epoch": _at_least(1),
}


def options_by_task(
    options: Mapping[str, Any], tasks: Sequence[str], known: Sequence[str]
) -> Tuple[Dict[str, Dict[str, Any]], Workers]:
    """
    # Parameters

    options : `Mapping[str, Any]`
        By name: a value for all tasks, a mapping with one for some tasks, or `None`.
    tasks : `Sequence[str]`
        Those that the loader has data for.
    known : `Sequence[str]`
        Those that may be named.

    # Returns

    `Tuple[Dict[str, Dict[str, Any]], Workers]`
        For each of `tasks`, the values that are given for it; and the workers that make batches.

    # Raises

    `ConfigurationError`
        If a mapping names an unknown task, or a value cannot be that of its option.
    """
    by_task: Dict[str, Dict[str, Any]] = {task: {} for task in tasks}
    for name, given in options.items():
        if given is None:
            continue
        if isinstance(given, Mapping):
            check_known(name, "tasks of the dataset reader", given, known)
        else:
            given = dict.fromkeys(tasks, given)
        for task, value in given.items():
            _check(name, value, task)
            if task in by_task:
                by_task[task][name] = value
    methods = [given.get("start_method", "fork") for given in by_task.values()]
    number = max(given.get("num_workers", 0) for given in by_task.values())
    # The more careful method, if they differ.
    return by_task, Workers(number, max(methods, key=START_METHODS.index))


def _check(name: str, value: Any, task: Optional[str] = None) -> None:
    if not _KINDS[name].fits(value):
        where = "" if task is None else f"for {task!r} "
        raise ConfigurationError(
            f"{name} must be {_KINDS[name].requires}, but {where}it is {value!r}. Correct it, or "
            "leave it out for the default."
        )


def check_data_path(data_path: Any, readers: Mapping[str, Any]) -> None:
    """
    # Raises

    `ConfigurationError`
        If `data_path` is not a mapping with some of the tasks that have a reader.
    """
    known = f"The tasks of the dataset reader: {format_names(readers)}."
    if not isinstance(data_path, Mapping) or not data_path:
        raise ConfigurationError(
            "The data path of a multitask loader must have the path of at least one task's data, "
            f'but it is {data_path!r}. Write it as {{"TASK": "PATH"}}. {known}'
        )
    for task in data_path:
        if task not in readers:
            raise ConfigurationError(
                "The data path of a multitask loader must name tasks that have a reader, but it "
                f"names {task!r}.{suggest(task, readers)} {known}"
            )


def batch_size_of(scheduler: MultiTaskScheduler, task: str) -> int:
    """
    How many instances of a task may come together in a batch. A scheduler that was made for
    AllenNLP's loader is asked for its `batch_size`.

    # Raises

    `ConfigurationError`
        If it has none for this task.
    """
    if hasattr(scheduler, "batch_size_of"):
        return scheduler.batch_size_of(task)
    sizes = getattr(scheduler, "batch_size", None)
    try:
        size = sizes[task] if isinstance(sizes, Mapping) else sizes
    except KeyError:
        size = None
    if not isinstance(size, int):
        raise ConfigurationError(
            "The scheduler must have a batch size for every dataset, but the batch_size of "
            f"{type(scheduler).__name__} has none for {task!r}: it is {sizes!r}. Add one, or give "
            "the class a method batch_size_of(task)."
        )
    return size


def check_tasks(part: Any, tasks: List[str], known: List[str]) -> None:
    """Has a sampler or a scheduler check that it knows what it needs, if it can."""
    if hasattr(part, "check_tasks"):
        part.check_tasks(tasks, known)
    elif isinstance(getattr(part, "batch_size", None), Mapping):
        for task in tasks:
            batch_size_of(part, task)


def scheduler_of(scheduler: Optional[MultiTaskScheduler], batch_size: Any) -> MultiTaskScheduler:
    """
    # Raises

    `ConfigurationError`
        Unless exactly one of the two is given.
    """
    if (scheduler is None) == (batch_size is None):
        found = "neither" if scheduler is None else "both"
        raise ConfigurationError(
            "A multitask loader requires either a scheduler or a batch_size, but it was given "
            f"{found}. With a batch_size, the scheduler is 'shuffled'."
        )
    return ShuffledScheduler(batch_size) if scheduler is None else scheduler


def check_sampler(sampler: Any, instances_per_epoch: Optional[int]) -> None:
    """
    # Raises

    `ConfigurationError`
        If `instances_per_epoch` is no number of instances, or there is no sampler to share it out.
    """
    if instances_per_epoch is None:
        if sampler is not None:
            logger.warning(
                "The sampler (%s) has no effect without instances_per_epoch: each epoch has every "
                "instance once. Set it, or leave out the sampler.",
                type(sampler).__name__,
            )
        return
    _check("instances_per_epoch", instances_per_epoch)
    if sampler is None:
        raise ConfigurationError(
            "With instances_per_epoch, a multitask loader requires a sampler that says what share "
            "of them each dataset gets, but it was given none. Add one, such as 'proportional', or "
            "leave out instances_per_epoch."
        )


def check_sorting_keys(names: Optional[List[str]], noise: float, shuffle: Optional[bool]) -> None:
    """
    # Raises

    `ConfigurationError`
        If `sorting_keys` is not a list, or `padding_noise` is below 0.
    """
    if isinstance(names, str):
        raise ConfigurationError(
            f"sorting_keys must be a list of field names, but got {names!r}. Write [{names!r}]."
        )
    if noise < 0:
        raise ConfigurationError(
            f"padding_noise must be at least 0, but it is {noise!r}. It is a share of the lengths, "
            "such as 0.1."
        )
    if names is not None and shuffle is False:
        logger.warning(
            "sorting_keys has no effect, because shuffle is false and the instances keep the "
            "order of "
            "the files. Leave out one of the two."
        )
