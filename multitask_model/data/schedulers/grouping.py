"""Cutting items into batches, counting batches, and round-robin order."""

import itertools
from typing import Iterable, Iterator, List, Sequence, TypeVar

from allennlp.common.checks import ConfigurationError

from multitask_model.data.value_checks import is_integer

T = TypeVar("T")


def split_into_batches(items: Iterable[T], size: int, drop_last: bool) -> Iterator[List[T]]:
    """
    Yields lists of `size` consecutive items. The last one may be shorter; with `drop_last` it is
    dropped, unless it is the only one.
    """
    remaining = iter(items)
    is_first = True
    while batch := list(itertools.islice(remaining, size)):
        if len(batch) == size or is_first or not drop_last:
            yield batch
        is_first = False


def count_batches(items: int, size: int, drop_last: bool) -> int:
    """Returns the number of batches that `split_into_batches` makes of `items` items."""
    full, rest = divmod(items, size)
    return full + (1 if rest and (full == 0 or not drop_last) else 0)


def round_robin(groups: Sequence[Iterable[T]]) -> Iterator[T]:
    """Yields one item of each group in turn. Exhausted groups are skipped."""
    remaining = [iter(group) for group in groups]
    while remaining:
        unfinished = []
        for group in remaining:
            try:
                item = next(group)
            except StopIteration:
                continue
            yield item
            unfinished.append(group)
        remaining = unfinished


def check_batch_size(size: object, parameter: str = "batch_size") -> None:
    """
    Checks one batch size. `parameter` names it in the error message.

    # Raises

    `ConfigurationError`
        If `size` is not an integer of at least 1.
    """
    if not is_integer(size, 1):
        raise ConfigurationError(
            f"{parameter} must be an integer of at least 1, but got {size!r}. Set it to the number "
            "of instances in a batch."
        )
