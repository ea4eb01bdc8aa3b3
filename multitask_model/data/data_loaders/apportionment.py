"""How many instances of each dataset make up an epoch."""

import math
from typing import Dict, Mapping, Tuple

from allennlp.common.checks import ConfigurationError

from multitask_model.errors import check_known


def apportion(
    total: int, proportions: Mapping[str, float], owed: Mapping[str, float]
) -> Tuple[Dict[str, int], Dict[str, float]]:
    """
    Whole numbers that are as near to the proportions as can be and sum to `total`: the method of
    largest remainders, with what was left over the last time carried over. So a dataset that is due
    a tenth of an instance in each epoch has one in one epoch out of ten.

    # Parameters

    total : `int`
    proportions : `Mapping[str, float]`
        By dataset; they need not sum to 1.
    owed : `Mapping[str, float]`
        What each dataset is owed from earlier, which may be negative. They sum to 0.

    # Returns

    `Tuple[Dict[str, int], Dict[str, float]]`
        The numbers, and what each dataset is owed now: between -1 and 1 while proportions last.
    """
    whole = sum(proportions.values())
    due = {task: total * p / whole + owed.get(task, 0.0) for task, p in proportions.items()}
    counts = {task: max(0, math.floor(number)) for task, number in due.items()}
    while sum(counts.values()) != total:
        left = {task: due[task] - count for task, count in counts.items()}
        if sum(counts.values()) < total:
            counts[max(left, key=left.__getitem__)] += 1
        else:
            taken = [task for task, count in counts.items() if count > 0]
            counts[min(taken, key=left.__getitem__)] -= 1
    return counts, {task: due[task] - count for task, count in counts.items()}


def check_proportions(
    proportions: Mapping[str, float], tasks: Mapping[str, object], sampler: object
) -> Dict[str, float]:
    """
    # Returns

    `Dict[str, float]`
        The proportion of each of `tasks`, in their order; 0 for those that the sampler left out.

    # Raises

    `ConfigurationError`
        If a proportion is for no task, or they are no proportions.
    """
    name = type(sampler).__name__
    check_known(f"get_task_proportions of {name}", "datasets of this loader", proportions, tasks)
    checked = {task: float(proportions.get(task, 0.0)) for task in tasks}
    values = checked.values()
    if not all(math.isfinite(value) and value >= 0 for value in values) or not any(values):
        raise ConfigurationError(
            f"get_task_proportions of {name} must return finite numbers of at least 0, one of them "
            f"above 0, but it returned {dict(proportions)!r}. Correct the sampler."
        )
    return checked
