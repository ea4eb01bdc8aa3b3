"""
A server of Python processes that need not import AllenNLP. It imports AllenNLP once. Each process
is a fork of it that does what `python -m MODULE`, `python -c CODE` or `python SCRIPT` does.

It does not import this package: a process registers it as a user's does, by `--include-package`, by
a plugins file or by an import. `tests/helpers/forked.py` starts the server, and the script
`tests/helpers/fork_client.py` asks it for a process.
"""

import atexit
import contextlib
import fcntl
import gc
import importlib
import json
import multiprocessing
import os
import resource
import runpy
import select
import signal
import socket
import sys
import types
from typing import Any, Dict, List, Optional, Tuple

PRELOADED = [
    "allennlp.commands",
    "allennlp.models",
    "allennlp.predictors",
    "torch._dynamo",  # with current PyTorch, the first optimizer imports it
    # What this package and the tests import.
    "conllu",
    "rich.table",
    "pytest",
]
FREE = 300
"""The files of a process have numbers below this one."""

Request = Dict[str, Any]


def serve(file: int) -> Optional[Request]:
    """
    Serves the connections of a listening socket until stdin is closed. Returns `None` in the
    server, and in each new process what it was asked for.
    """
    with socket.socket(fileno=file) as listener:
        while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            with connection:
                if os.fork() == 0:
                    listener.close()
                    return start(connection)
            reap()
    return None


def start(accepted: socket.socket) -> Request:
    """Returns the request in a new process. This one waits for it and sends its exit status."""
    connection = socket.socket(fileno=move_up(accepted.detach()))
    request, files = receive(connection)
    process = os.fork()
    if process == 0:
        connection.close()
        for number, file in zip(request.pop("files"), files):
            os.dup2(file, number)
    for file in files:
        os.close(file)
    if process:
        wait(connection, process)
    return request


def receive(connection: socket.socket) -> Tuple[Request, List[int]]:
    """Reads a line of JSON and the files that come with it."""
    data, files, _, _ = socket.recv_fds(connection, 1 << 16, FREE)
    while not data.endswith(b"\n"):
        data += connection.recv(1 << 16)
    return json.loads(data), [move_up(file) for file in files]


def move_up(file: int) -> int:
    moved = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, FREE)
    os.close(file)
    return moved


def wait(connection: socket.socket, process: int) -> None:
    """Waits for the process, or kills it if the client is gone. Does not return."""
    ended: Any = os.pidfd_open(process)
    if ended not in select.select([ended, connection], [], [])[0]:
        os.kill(process, signal.SIGKILL)
    status = os.waitpid(process, 0)[1]
    with contextlib.suppress(BrokenPipeError):
        connection.sendall(b"%d\n" % status)
    os._exit(0)


def reap() -> None:
    """Removes the processes that ended from the table of processes."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def run(
    arguments: List[str],
    directory: str,
    environment: Dict[str, str],
    executable: str,
    max_files: List[int],
) -> None:
    """Does what Python does with these arguments. `executable` starts further processes."""
    sys.executable = executable
    multiprocessing.set_executable(executable)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max_files[0], max_files[1]))
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    kind = arguments[0]
    first = {"-m": directory, "-c": ""}.get(kind, os.path.dirname(os.path.abspath(kind)))
    sys.path[:0] = [first, *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
    run_as_main(arguments)


def run_as_main(arguments: List[str]) -> None:
    """Runs a module, code or a script."""
    kind = arguments[0]
    sys.argv = arguments[1:] if kind == "-m" else arguments
    if kind == "-m":
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    elif kind == "-c":
        sys.argv = ["-c", *arguments[2:]]
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(arguments[1], vars(main))
    else:
        runpy.run_path(os.path.abspath(kind), run_name="__main__")


def run_to_the_end(status: List[int], request: Request) -> None:
    """Does as `run`, and adds the exit status to `status` if the process ends by itself."""
    try:
        run(**request)
    except SystemExit as error:
        status.append(error.code if isinstance(error.code, int) else int(error.code is not None))
        raise
    except Exception:
        status.append(1)
        raise
    status.append(0)


def leave(status: List[int]) -> None:
    """
    Ends a process after all its exit handlers. Python would first destroy the objects of all
    modules, which copies the memory of the server and takes a second.
    """
    if status:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(AttributeError, OSError, ValueError):
                stream.flush()
        os._exit(status[0])


if __name__ == "__main__":
    del sys.path[0]  # the folder of this script
    ended: List[int] = []
    atexit.register(leave, ended)  # the first, so that it is called last
    for name in PRELOADED:
        with contextlib.suppress(ImportError):  # PyTorch 1.12 has no `torch._dynamo`
            importlib.import_module(name)
    quick_imports = runpy.run_path(os.path.join(os.path.dirname(__file__), "quick_imports.py"))
    quick_imports["search_once"]()
    quick_imports["import_allennlp"]()
    gc.collect()
    gc.freeze()  # so that the processes do not copy the memory
    request = serve(int(sys.argv[1]))
    if request is not None:
        run_to_the_end(ended, request)
