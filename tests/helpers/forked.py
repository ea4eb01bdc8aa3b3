"""
Processes that start in milliseconds, because they are forks of a process that has imported
AllenNLP. They execute the same code as `python`, `allennlp` and `multitask-model` in a shell, and
the processes that they start are forks too. The test processes of pytest-xdist share a server.
"""

import atexit
import functools
import os
import shlex
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

COMMANDS = {"python": "", "allennlp": "-m allennlp", "multitask-model": "-m multitask_model"}
SHARED = "TESTS_FORK_SERVER"
"""The environment variable with the folder of a server for the test processes of pytest-xdist."""

_HERE = Path(__file__).resolve().parent


@functools.cache
def forked_commands() -> Path:
    """
    Returns a folder with the scripts `python`, `allennlp` and `multitask-model`, which run in forks
    of the server. The first call starts the server, unless it is shared.
    """
    return Path(os.environ[SHARED]) if SHARED in os.environ else _start()


def share_forked_commands() -> None:
    """Starts a server for the test processes that this process will start."""
    os.environ[SHARED] = str(forked_commands())


def _start() -> Path:
    temporary = tempfile.TemporaryDirectory()
    folder = Path(temporary.name)
    server = _start_server(str(folder / "socket"))
    for name, arguments in COMMANDS.items():
        client = [sys.executable, "-IS", str(_HERE / "fork_client.py"), str(folder / "socket")]
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec {shlex.join(client)} {arguments} "$@"\n')
        script.chmod(0o755)
    atexit.register(_stop, server, temporary)
    return folder


def forked_python() -> str:
    """The path of a script that stands for `sys.executable`."""
    return str(forked_commands() / "python")


def _start_server(path: str) -> "subprocess.Popen[bytes]":
    """Starts a server of the socket `path`. Clients wait until it has imported AllenNLP."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(100)
        return subprocess.Popen(
            [sys.executable, str(_HERE / "fork_server.py"), str(listener.fileno())],
            stdin=subprocess.PIPE,  # it ends when this process does
            stdout=subprocess.DEVNULL,
            cwd="/",
            # Libraries read these when they are imported. One thread, because a fork has no others.
            env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
            pass_fds=[listener.fileno()],
            start_new_session=True,  # Ctrl-C ends the clients, and these their processes
        )


def _stop(server: "subprocess.Popen[bytes]", temporary: "tempfile.TemporaryDirectory[str]") -> None:
    server.terminate()
    server.communicate()
    temporary.cleanup()
