"""Processes that are connected by `torch.distributed`."""

from typing import Callable

import torch

from multitask_model.data.data_loaders.start_methods import get_context


def run_processes(function: Callable[..., None], *args: str, count: int = 2) -> None:
    """Calls `function(rank, *args)` in `count` processes, and raises what one of them raises."""
    get_context("forkserver")  # so that each process need not import the package
    torch.multiprocessing.start_processes(function, args, nprocs=count, start_method="forkserver")
