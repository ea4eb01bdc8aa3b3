"""Parts that error messages share: lists of names, values, and the closest known name."""

import difflib
from typing import Iterable, List, Sequence

from allennlp.common.checks import ConfigurationError

MAX_NAMES = 20
MAX_CHARACTERS = 80


def format_names(names: Iterable[object]) -> str:
    """Formats names as a list, of which at most `MAX_NAMES` are shown."""
    formatted: List[str] = [repr(name) for name in names]
    hidden = len(formatted) - MAX_NAMES
    if hidden > 0:
        formatted = formatted[:MAX_NAMES] + [f"and {hidden} more"]
    return "[" + ", ".join(formatted) + "]"


def format_value(value: object) -> str:
    """Formats a value in at most `MAX_CHARACTERS` characters."""
    text = repr(value)
    if len(text) > MAX_CHARACTERS:
        text = f"{text[:MAX_CHARACTERS]}..."
    return f"{text} ({len(value)} items)" if isinstance(value, list) else text


def suggest(name: object, known: Iterable[str]) -> str:
    """Returns `" Did you mean 'x'?"` for the known name closest to `name`, or an empty string."""
    matches = difflib.get_close_matches(str(name), list(known), n=1)
    return f" Did you mean {matches[0]!r}?" if matches else ""


def suggest_rename(missing: str, given: Iterable[str]) -> str:
    """Returns `" Is 'b' meant to be 'a'?"` for the given name closest to a missing one, or `""`."""
    matches = difflib.get_close_matches(missing, list(given), n=1)
    return f" Is {matches[0]!r} meant to be {missing!r}?" if matches else ""


def check_known(parameter: str, what: str, found: Iterable[str], known: Iterable[str]) -> None:
    """
    Checks that every name in `found` is one of the `known` names.

    # Parameters

    parameter : `str`
        The parameter that the names were given for.
    what : `str`
        What the parameter must name, such as `"a task that has a reader"`.
    found : `Iterable[str]`
    known : `Iterable[str]`

    # Raises

    `ConfigurationError`
        If a name is unknown. The message suggests the closest known name.
    """
    known = list(known)
    for name in found:
        if name not in known:
            raise ConfigurationError(
                f"{parameter} must name {what}, but got {name!r}.{suggest(name, known)} "
                f"Known names: {format_names(known)}."
            )


def check_choice(parameter: str, value: object, choices: Sequence[str]) -> None:
    """
    Checks that the value of a parameter is one of a few choices.

    # Raises

    `ConfigurationError`
        If it is none of them.
    """
    if value not in choices:
        listed = " or ".join(map(repr, choices))
        raise ConfigurationError(f"{parameter} must be {listed}, but got {value!r}.")
