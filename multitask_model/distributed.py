"""The processes of distributed training, and work that a process does without the others."""

import contextlib
import threading
from typing import Iterator, List, TypeVar, cast

import torch.distributed as dist

from multitask_model.compat.torch_internals import has_process_group

T = TypeVar("T")

FILLER = "multitask_filler"
"""
The key of a batch that a process yields so that it takes as many steps as the others. Such a batch
repeats an earlier one, and the model does not count it.
"""

_alone = threading.local()


def is_distributed() -> bool:
    """
    Whether this is a process of distributed training that does not work `alone`. It returns what
    AllenNLP's function of this name does, and takes less time outside of distributed training.
    """
    return has_process_group() and dist.is_initialized()


def rank() -> int:
    """Returns the number of this process, from 0; 0 outside of distributed training."""
    return dist.get_rank() if is_distributed() else 0


def gather(value: T) -> List[T]:
    """
    Returns the values of all processes, in their order. Every process must call this as often as
    the others.
    """
    if not is_distributed():
        return [value]
    values: List[object] = [None] * dist.get_world_size()
    dist.all_gather_object(values, value)
    return cast(List[T], values)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """
    Lets this thread work as if there were no other processes: `is_distributed()` is false, so
    metrics count what this process has, without waiting for the others.

        >>> with alone():
        ...     is_distributed()
        False
    """
    if not is_distributed():
        yield
        return
    _install()
    depth = getattr(_alone, "depth", 0)
    _alone.depth = depth + 1
    try:
        yield
    finally:
        _alone.depth = depth


def _install() -> None:
    # AllenNLP's `is_distributed`, which other modules import by name, asks this function.
    original = dist.is_initialized
    if hasattr(original, "_can_be_alone"):
        return

    def is_initialized() -> bool:
        return not getattr(_alone, "depth", 0) and bool(original())

    vars(is_initialized)["_can_be_alone"] = True
    vars(dist)["is_initialized"] = is_initialized
