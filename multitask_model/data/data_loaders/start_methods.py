"""How worker processes are started."""

import multiprocessing
from multiprocessing.context import BaseContext


def get_context(start_method: str) -> BaseContext:
    """
    Returns the context of a start method.

    The server of `forkserver` imports this package, and with it PyTorch and AllenNLP, once. Its
    processes are forks of it, so they start in milliseconds instead of seconds. A server that runs
    already is used as it is.
    """
    context = multiprocessing.get_context(start_method)
    if start_method == "forkserver":
        context.set_forkserver_preload(["__main__", "multitask_model"])
    return context
