"""The parts that error messages share: what was found, what is known, what is suggest to it."""

import difflib
from typing import Iterable, List

from allennlp.common.checks import ConfigurationError

MAX_NAMES = 20
MAX_CHARACTERS = 80


def format_names(names: Iterable[str]) -> str:
    """The names as they stand in an error message, cut short where there are very many."""
    shown: List[str] = [repr(name) for name in names]
    rest = len(shown) - MAX_NAMES
    if rest > 0:
        shown = shown[:MAX_NAMES] + [f"and {rest} more"]
    return "[" + ", ".join(shown) + "]"


def format_value(value: object) -> str:
    """The value as it stands in an error message, cut short where it is long."""
    text = repr(value)
    if len(text) > MAX_CHARACTERS:
        text = f"{text[:MAX_CHARACTERS]}..."
    return f"{text} ({len(value)} items)" if isinstance(value, list) else text


def suggest(name: object, known: Iterable[str]) -> str:
    """`" Did you mean 'x'?"` for the known name closest to `name`, or nothing if none is close."""
    matches = difflib.get_close_matches(str(name), list(known), n=1)
    return f" Did you mean {matches[0]!r}?" if matches else ""


def check_known(parameter: str, what: str, found: Iterable[str], known: Iterable[str]) -> None:
    """
    # Raises

    `ConfigurationError`
        If a name in `found` is not in `known`. It names the parameter, the name that was found,
        the suggest known one and all the known ones.
    """
    known = list(known)
    for name in found:
        if name not in known:
            raise ConfigurationError(
                f"{parameter} must name {what}, but got {name!r}.{suggest(name, known)} "
                f"Known names: {format_names(known)}."
            )
