"""
What every test runs under: a fixed seed, one thread, and the device named by `TEST_DEVICE`.
"""

import multiprocessing.spawn
import os
import random
from typing import Iterator

import numpy
import pytest
import torch

from tests.helpers.forked import forked_python, share_forked_commands
from tests.helpers.quick_imports import search_once


def pytest_configure(config: pytest.Config) -> None:
    """
    Starts the server of `tests/helpers/forked.py` for all processes of pytest-xdist, unless the
    tests that start processes are left out. A single process starts it with the first such test.
    """
    if config.getoption("numprocesses", None) and "not slow" not in config.option.markexpr:
        share_forked_commands()


@pytest.fixture(autouse=True)
def _seed() -> None:
    random.seed(0)
    numpy.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the test processes share the cores
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True, scope="session")
def _search_once() -> None:
    search_once()


@pytest.fixture(scope="session")
def device() -> torch.device:
    """The CPU, or another device: `TEST_DEVICE=cuda pytest`."""
    return torch.device(os.environ.get("TEST_DEVICE", "cpu"))


@pytest.fixture
def forked_workers() -> Iterator[None]:
    """Workers that are spawned, and the server of `forkserver`, need not import AllenNLP."""
    before = multiprocessing.spawn.get_executable()
    multiprocessing.set_executable(forked_python())
    yield
    multiprocessing.set_executable(before)
