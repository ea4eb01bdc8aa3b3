"""The number of instances of each dataset in an epoch."""

import math
from typing import Dict, Iterable, Mapping, Tuple

from allennlp.common.checks import ConfigurationError

from multitask_model.errors import check_known


def apportion(
    total: int, proportions: Mapping[str, float], carry: Mapping[str, float]
) -> Tuple[Dict[str, int], Dict[str, float]]:
    """
    Splits `total` into integer counts by the largest-remainder method, and carries the rounding
    errors over to the next call. A dataset that is due a tenth of an instance per epoch gets one
    instance in every tenth epoch.

    # Parameters

    total : `int`
    proportions : `Mapping[str, float]`
        The proportion of each dataset. They need not sum to 1.
    carry : `Mapping[str, float]`
        The rounding error of each dataset from earlier calls: positive if it got too few instances,
        negative if it got too many. They sum to 0.

    # Returns

    `Tuple[Dict[str, int], Dict[str, float]]`
        The count of each dataset, which sum to `total`, and the new `carry`, whose values stay
        between -1 and 1 as long as the proportions do not change.
    """
    norm = sum(proportions.values())
    exact = {task: total * p / norm + carry.get(task, 0.0) for task, p in proportions.items()}
    counts = {task: max(0, math.floor(number)) for task, number in exact.items()}
    while sum(counts.values()) != total:
        remainders = {task: exact[task] - count for task, count in counts.items()}
        if sum(counts.values()) < total:
            counts[max(remainders, key=remainders.__getitem__)] += 1
        else:
            reducible = [task for task, count in counts.items() if count > 0]
            counts[min(reducible, key=remainders.__getitem__)] -= 1
    return counts, {task: exact[task] - count for task, count in counts.items()}


def check_proportions(
    proportions: Mapping[str, float], tasks: Iterable[str], sampler: object
) -> Dict[str, float]:
    """
    Validates the proportions that a sampler returned.

    # Returns

    `Dict[str, float]`
        The proportion of each of `tasks`, in their order; 0 for tasks without one.

    # Raises

    `ConfigurationError`
        If a proportion is for an unknown task, negative or not finite, or if all of them are 0.
    """
    tasks = list(tasks)
    method = f"get_task_proportions of {type(sampler).__name__}"
    check_known(method, "datasets of this loader", proportions, tasks)
    checked = {task: float(proportions.get(task, 0.0)) for task in tasks}
    values = checked.values()
    if not all(math.isfinite(value) and value >= 0 for value in values) or not any(values):
        raise ConfigurationError(
            f"{method} must return finite numbers of at least 0, at least one of them above 0, but "
            f"got {dict(proportions)!r}. Correct the sampler."
        )
    return checked
