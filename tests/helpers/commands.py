"""
Runs commands in a new process (`run_python`), in one that starts in milliseconds (`run_forked`,
`run_allennlp`), or in this one (`run_allennlp_here`).
"""

import contextlib
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Iterator, List

import pytest
import torch
from allennlp.commands import main
from allennlp.common import cached_transformers

from tests.helpers.forked import forked_python

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ["--include-package", "multitask_model"]


def run_python(*arguments: object, directory: Path) -> None:
    """
    Runs Python in a new process, in `directory`, with this checkout on its path. If it fails, the
    test fails with the end of its stderr. Importing AllenNLP takes seconds; use `run_forked` unless
    the start of the process is what is tested.
    """
    _run(sys.executable, *arguments, directory=directory)


def run_forked(*arguments: object, directory: Path) -> None:
    """As `run_python`, in a process that has imported AllenNLP, but not this package."""
    _run(forked_python(), *arguments, directory=directory)


def run_allennlp(*arguments: object, directory: Path) -> None:
    """Runs `allennlp` by `run_forked`."""
    run_forked("-m", "allennlp", *arguments, directory=directory)


def _run(python: str, *arguments: object, directory: Path) -> None:
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    settings = {"PYTHONPATH": os.pathsep.join(paths), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    result = subprocess.run(
        [python, *map(str, arguments)],
        cwd=directory,
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
    )
    if result.returncode:
        command = " ".join(map(str, arguments))
        pytest.fail(f"{command} returned {result.returncode}:\n{result.stderr[-3000:]}", False)


def run_allennlp_here(*arguments: object, directory: Path) -> None:
    """Runs `allennlp` in this process, which saves the seconds that importing it takes."""
    argv: List[str] = ["allennlp", *map(str, arguments)]
    with pytest.MonkeyPatch.context() as patch, training_here():
        patch.chdir(directory)
        patch.setattr(sys, "argv", argv)
        main()


@contextlib.contextmanager
def training_here() -> Iterator[None]:
    """Sets one thread, and restores the process settings that AllenNLP's training changes."""
    loggers = [logging.getLogger(), logging.getLogger("tqdm")]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    excepthook, path, threads = sys.excepthook, list(sys.path), torch.get_num_threads()
    torch.set_num_threads(1)  # more threads are slower for small models
    # Loading a transformer uses random numbers, and taking it from the cache does not.
    cached_transformers._clear_caches()
    try:
        yield
    finally:
        for logger, level, handlers in before:
            for handler in set(logger.handlers).difference(handlers):
                handler.close()
            logger.setLevel(level)
            logger.handlers[:] = handlers
        sys.excepthook = excepthook
        sys.path[:] = path
        torch.set_num_threads(threads)
