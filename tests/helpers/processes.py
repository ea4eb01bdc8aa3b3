"""Processes that are connected by `torch.distributed`."""

import time
from typing import Callable

import torch

from multitask_model.data.data_loaders.start_methods import get_context

TIME_LIMIT = 120
"""After this number of seconds, processes that wait for each other are a failure."""


def run_processes(function: Callable[..., None], *args: str, count: int = 2) -> None:
    """Calls `function(rank, *args)` in `count` processes, and raises what one of them raises."""
    get_context("forkserver")  # so that each process need not import the package
    processes = torch.multiprocessing.start_processes(
        function, args, nprocs=count, start_method="forkserver", join=False
    )
    end = time.monotonic() + TIME_LIMIT
    while not processes.join(timeout=1):
        if time.monotonic() > end:
            for process in processes.processes:
                process.kill()
            raise TimeoutError(f"The processes did not end within {TIME_LIMIT} seconds.")
