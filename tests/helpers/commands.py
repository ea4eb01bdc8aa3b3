"""Runs the `allennlp` command, in a new process or in this one."""

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

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ["--include-package", "multitask_model"]


def run_python(*arguments: object, directory: Path) -> None:
    """
    Runs Python in a new process, in `directory`, with this checkout on its path. If it fails, the
    test fails with the end of its stderr.
    """
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    settings = {"PYTHONPATH": os.pathsep.join(paths), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    result = subprocess.run(
        [sys.executable, *map(str, arguments)],
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


def run_allennlp(*arguments: object, directory: Path) -> None:
    """Runs `allennlp` in a new process, in `directory`."""
    run_python("-m", "allennlp", *arguments, directory=directory)


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
