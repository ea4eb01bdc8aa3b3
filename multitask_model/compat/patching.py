"""Replacing functions of other libraries."""

import functools
from typing import Callable, TypeVar

_Result = TypeVar("_Result")


def patch(owner: object, name: str) -> Callable[[Callable[..., _Result]], None]:
    """
    Replaces the function `owner.name` by the decorated function, which gets the original as its
    first argument. A function that was patched already is left as it is.
    """
    original: Callable[..., _Result] = getattr(owner, name)

    def decorate(replacement: Callable[..., _Result]) -> None:
        @functools.wraps(original)
        def patched(*args: object, **kwargs: object) -> _Result:
            return replacement(original, *args, **kwargs)

        if not hasattr(original, "_patched_by_multitask_model"):
            vars(patched)["_patched_by_multitask_model"] = True
            setattr(owner, name, patched)

    return decorate
