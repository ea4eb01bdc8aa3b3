"""Cutting items into batches, counting them, and taking turns."""

import itertools
from typing import Any, Iterable, Iterator, List, Sequence, TypeVar

from allennlp.common.checks import ConfigurationError

T = TypeVar("T")
_END: Any = object()


def in_batches(items: Iterable[T], size: int, drop_last: bool) -> Iterator[List[T]]:
    """
    Lists of `size` items, and of what is left in the end; with `drop_last`, what is left is a batch
    only if there is no other, so that nothing is dropped as a whole.
    """
    remaining = iter(items)
    alone = True
    while batch := list(itertools.islice(remaining, size)):
        if len(batch) == size or alone or not drop_last:
            yield batch
        alone = False


def count_batches(items: int, size: int, drop_last: bool) -> int:
    """How many batches `in_batches` makes of so many items."""
    full, rest = divmod(items, size)
    return full + (1 if rest and (full == 0 or not drop_last) else 0)


def round_robin(groups: Sequence[Iterable[T]]) -> Iterator[T]:
    """One of each group in turn; when a group has run out, the others go on."""
    remaining = [iter(group) for group in groups]
    while remaining:
        unfinished = []
        for group in remaining:
            item = next(group, _END)
            if item is not _END:
                yield item
                unfinished.append(group)
        remaining = unfinished


def check_batch_size(size: Any, where: str = "batch_size") -> None:
    """
    # Raises

    `ConfigurationError`
        If `size` is not a whole number of at least 1.
    """
    # To Python, True is the whole number 1.
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise ConfigurationError(
            f"{where} must be a whole number of at least 1, but it is {size!r}. Give the number of "
            "instances in a batch."
        )
