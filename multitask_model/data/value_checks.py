"""Checks of constructor arguments, shared by samplers, schedulers and the data loader."""

import math
from numbers import Real
from typing import Mapping, Optional, Sequence

from allennlp.common.checks import ConfigurationError

from multitask_model.errors import check_known, format_names, suggest


def is_integer(value: object, minimum: int) -> bool:
    """Whether `value` is an integer of at least `minimum`. Booleans do not count as integers."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= minimum


def is_finite_number(value: object) -> bool:
    """Whether `value` is a finite real number. Booleans do not count as numbers."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def check_keys(
    parameter: str,
    given: Mapping[str, object],
    tasks: Sequence[str],
    known: Optional[Sequence[str]] = None,
) -> None:
    """
    Checks a parameter that has one value per dataset.

    # Parameters

    parameter : `str`
        The name of the parameter, for the error message.
    given : `Mapping[str, object]`
        The value of the parameter for each dataset.
    tasks : `Sequence[str]`
        The datasets that need a value.
    known : `Sequence[str]`, optional (default = `tasks`)
        The datasets that may have a value.

    # Raises

    `ConfigurationError`
        If `given` has no key for one of `tasks`, or has a key that is not in `known`.
    """
    check_known(parameter, "datasets", given, tasks if known is None else known)
    for task in tasks:
        if task not in given:
            raise ConfigurationError(
                f"{parameter} must have an entry for every dataset, but has none for {task!r}."
                f"{suggest(task, given)} Its keys: {format_names(given)}. Add an entry."
            )
