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

from tests.helpers.forked import forked_python


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
