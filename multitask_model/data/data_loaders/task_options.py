"""The loader options that may be given per task, and the data path."""

from typing import Callable, Dict, Mapping, NamedTuple, Sequence, Tuple, TypedDict, cast

from allennlp.common.checks import ConfigurationError

from multitask_model.data.value_checks import is_integer
from multitask_model.errors import check_known, format_names, suggest

START_METHODS = ["fork", "forkserver", "spawn"]


class CollateWorkers(NamedTuple):
    """
    The processes that collate batches: their number and how they are started.

        >>> options_by_task({"num_workers": {"ewt": 2}}, ["ewt", "tweets"], ["ewt", "tweets"])[1]
        CollateWorkers(num_workers=2, start_method='fork')
    """

    num_workers: int
    start_method: str


class ReadingOptions(TypedDict, total=False):
    """The options of one `TaskDataset`."""

    num_workers: int
    max_instances_in_memory: int
    start_method: str
    instance_queue_size: int
    instance_chunk_size: int


class _Requirement(NamedTuple):
    description: str
    is_met: Callable[[object], bool]


def _integer(minimum: int) -> _Requirement:
    description = f"an integer of at least {minimum}"
    return _Requirement(description, lambda value: is_integer(value, minimum))


_REQUIREMENTS: Dict[str, _Requirement] = {
    "num_workers": _integer(0),
    "max_instances_in_memory": _integer(1),
    "start_method": _Requirement(
        f"one of {format_names(START_METHODS)}", START_METHODS.__contains__
    ),
    "instance_queue_size": _integer(1),
    "instance_chunk_size": _integer(1),
    "max_tokens": _integer(1),
}


def options_by_task(
    options: Mapping[str, object], tasks: Sequence[str], known: Sequence[str]
) -> Tuple[Dict[str, ReadingOptions], CollateWorkers]:
    """
    Resolves the options that may be given per task.

    # Parameters

    options : `Mapping[str, object]`
        Each option's value for all tasks, its values for some tasks by name, or `None`.
    tasks : `Sequence[str]`
        The tasks that the loader has data for.
    known : `Sequence[str]`
        The tasks that may be named.

    # Returns

    `Tuple[Dict[str, ReadingOptions], CollateWorkers]`
        The options that are given for each of `tasks`, and the processes that collate batches.

    # Raises

    `ConfigurationError`
        If an option names an unknown task, or has an invalid value.
    """
    by_task: Dict[str, Dict[str, object]] = {task: {} for task in tasks}
    for name, given in options.items():
        for task, value in _values_by_task(name, given, tasks, known).items():
            _check(name, value, task)
            if task in by_task:
                by_task[task][name] = value
    checked = cast(Dict[str, ReadingOptions], by_task)
    num_workers = max(of_task.get("num_workers", 0) for of_task in checked.values())
    methods = [of_task.get("start_method", "fork") for of_task in checked.values()]
    # If the methods differ, the one that shares the least with this process is the safest.
    return checked, CollateWorkers(num_workers, max(methods, key=START_METHODS.index))


def token_limits(given: object, tasks: Sequence[str], known: Sequence[str]) -> Dict[str, int]:
    """
    Returns the value of `max_tokens` for each of `tasks` that has one.

    # Raises

    `ConfigurationError`
        If it names an unknown task, or has an invalid value.
    """
    limits = _values_by_task("max_tokens", given, tasks, known)
    for task, limit in limits.items():
        _check("max_tokens", limit, task)
    return cast(Dict[str, int], {task: limits[task] for task in tasks if task in limits})


def _values_by_task(
    name: str, given: object, tasks: Sequence[str], known: Sequence[str]
) -> Mapping[str, object]:
    if given is None:
        return {}
    if isinstance(given, Mapping):
        check_known(name, "tasks of the dataset reader", given, known)
        return given
    return dict.fromkeys(tasks, given)


def _check(name: str, value: object, task: str) -> None:
    if not _REQUIREMENTS[name].is_met(value):
        raise ConfigurationError(
            f"{name} must be {_REQUIREMENTS[name].description}, but got {value!r} for {task!r}. "
            "Correct it, or remove it to use the default."
        )


def check_data_path(data_path: object, readers: Mapping[str, object]) -> None:
    """
    Checks that `data_path` maps one or more tasks with a reader to their data.

    # Raises

    `ConfigurationError`
        If it does not.
    """
    known = f"The tasks of the dataset reader: {format_names(readers)}."
    if not isinstance(data_path, Mapping) or not data_path:
        raise ConfigurationError(
            "The data path of a multitask loader must map at least one task to its data, but got "
            f'{data_path!r}. Write it as {{"TASK": "PATH"}}. {known}'
        )
    for task in data_path:
        if task not in readers:
            raise ConfigurationError(
                "The data path of a multitask loader must name tasks that have a reader, but got "
                f"{task!r}.{suggest(task, readers)} {known}"
            )
