"""Shares of an epoch, from weights or from sizes, and checks of what a sampler is given."""

import math
from numbers import Real
from typing import Any, Dict, Mapping, Optional, Sequence, Sized

from allennlp.common.checks import ConfigurationError

from multitask_model.errors import check_known, format_names, suggest


def normalize(weights: Mapping[str, float]) -> Dict[str, float]:
    """The weights, which must not all be 0, divided by their sum."""
    total = sum(weights.values())
    return {task: weight / total for task, weight in weights.items()}


def shares_by_size(sizes: Mapping[str, int], power: float) -> Dict[str, float]:
    """Shares in proportion to the sizes to that power, which must not be below 0."""
    # A ratio of at most 1 cannot overflow, whatever the power.
    largest = max(sizes.values(), default=1)
    return normalize({task: (size / largest) ** power for task, size in sizes.items()})


def sizes_of(data_loaders: Mapping[str, Sized], sampler: str) -> Dict[str, int]:
    """
    # Raises

    `ConfigurationError`
        If one of `data_loaders` has no length, or is empty.
    """
    sizes = {}
    for task, loader in data_loaders.items():
        try:
            sizes[task] = len(loader)
        except TypeError as error:
            raise ConfigurationError(
                f"The sampler {sampler!r} must know the size of every dataset, but {task!r} has "
                "none, as it is read lazily. Leave out its max_instances_in_memory, or use the "
                "sampler 'weighted' or 'uniform'."
            ) from error
        if sizes[task] == 0:
            raise ConfigurationError(
                f"The sampler {sampler!r} must have instances of every dataset, but {task!r} is "
                "empty. Correct its data_path, or leave the dataset out."
            )
    return sizes


def check_keys(
    parameter: str,
    found: Mapping[str, Any],
    tasks: Sequence[str],
    known: Optional[Sequence[str]] = None,
) -> None:
    """
    # Raises

    `ConfigurationError`
        If `found` has no key for one of `tasks`, or has one that is not in `known`, which is
        `tasks` by default.
    """
    check_known(parameter, "datasets", found, tasks if known is None else known)
    for task in tasks:
        if task not in found:
            raise ConfigurationError(
                f"{parameter} must have an entry for every dataset, but it has none for {task!r}."
                f"{suggest(task, found)} Its keys: {format_names(found)}. Add one."
            )


def is_number(value: Any) -> bool:
    """Whether it is a finite number. To Python, true and false are numbers too."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
