"""Patches for current releases of Python's `multiprocessing`."""

from types import SimpleNamespace
from typing import Any, Callable

from multitask_model.compat.patching import patch


def use_locks_of_own_context() -> None:
    """
    AllenNLP's `MultiProcessDataLoader` passes a lock for forked processes to spawned workers. From
    Python 3.11.5 on this is an error. In earlier releases a worker that acquired the lock crashed,
    and the loader waited forever.
    """
    from allennlp.common.tqdm import Tqdm
    from allennlp.data.data_loaders import MultiProcessDataLoader

    def _start_workers(
        original: Callable[..., object], loader: object, queue: object, ctx: Any
    ) -> object:
        lock = ctx.RLock()

        def process(args: Any, **kwargs: object) -> object:
            replaced = [lock if arg is Tqdm.get_lock() else arg for arg in args]
            return ctx.Process(args=replaced, **kwargs)

        started = original(loader, queue, SimpleNamespace(Pipe=ctx.Pipe, Process=process))
        Tqdm.set_lock(lock)
        return started

    for name in ("_start_instance_workers", "_start_batch_workers"):
        patch(MultiProcessDataLoader, name)(_start_workers)
