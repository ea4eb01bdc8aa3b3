"""The `allennlp` command, in a process of its own or in this one."""

import contextlib
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator, List

import pytest
import torch
from allennlp.commands import main
from allennlp.common import cached_transformers

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ["--include-package", "multitask_model"]


def run_python(*arguments: Any, directory: Path) -> None:
    """
    Runs Python in a new process, in `directory`, where it finds this checkout's packages. If it
    fails, the test fails with the end of what it wrote to stderr.
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


def run_allennlp(*arguments: Any, directory: Path) -> None:
    """Runs `allennlp` in a new process, in `directory`."""
    run_python("-m", "allennlp", *arguments, directory=directory)


def run_allennlp_here(*arguments: Any, directory: Path) -> None:
    """Runs `allennlp` in this process: the same, without seconds of imports."""
    argv: List[str] = ["allennlp", *map(str, arguments)]
    with pytest.MonkeyPatch.context() as patch, training_here():
        patch.chdir(directory)
        patch.setattr(sys, "argv", argv)
        main()


@contextlib.contextmanager
def training_here() -> Iterator[None]:
    """Undoes what AllenNLP does to the process that it trains in, and has one thread do it."""
    loggers = [logging.getLogger(), logging.getLogger("tqdm")]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    excepthook, path, threads = sys.excepthook, list(sys.path), torch.get_num_threads()
    torch.set_num_threads(1)  # on a busy machine a small model mostly waits for the others
    # A transformer that is loaded uses up random numbers, and one from the cache does not.
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
