"""Processes that are connected by `torch.distributed`."""

import importlib
import pickle
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable

import torch

from tests.helpers.commands import ROOT, run_forked

TIME_LIMIT = 120
"""After this number of seconds, processes that wait for each other are a failure."""


def run_processes(function: Callable[..., None], *args: str, count: int = 2) -> None:
    """
    Calls `function(rank, *args)` in `count` processes, and raises what one of them raises. They are
    forks of a process that has imported the module of the function.
    """
    with tempfile.TemporaryDirectory() as folder:
        error = Path(folder) / "error"
        place = (function.__module__, function.__qualname__)
        run_forked("-m", __name__, error, count, *place, *args, directory=ROOT)
        if error.exists():
            raise pickle.loads(error.read_bytes())


def main(path: str, count: str, module: str, name: str, *args: str) -> None:
    """Calls the function of a module in `count` processes. Writes what one raises to `path`."""
    function = getattr(importlib.import_module(module), name)
    try:
        _run(function, *args, count=int(count))
    except Exception as error:
        Path(path).write_bytes(pickle.dumps(error))


def _run(function: Callable[..., None], *args: str, count: int) -> None:
    processes = torch.multiprocessing.start_processes(
        function, args, nprocs=count, start_method="fork", join=False
    )
    end = time.monotonic() + TIME_LIMIT
    while not processes.join(timeout=1):
        if time.monotonic() > end:
            for process in processes.processes:
                process.kill()
            raise TimeoutError(f"The processes did not end within {TIME_LIMIT} seconds.")


if __name__ == "__main__":
    main(*sys.argv[1:])
