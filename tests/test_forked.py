"""The processes of `tests/helpers/forked.py` behave as those of Python."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.forked import forked_python

pytestmark = pytest.mark.slow


def run(*arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    command = [forked_python(), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)


def test_allennlp_is_imported_but_not_this_package() -> None:
    code = "import sys; print([name in sys.modules for name in ('allennlp', 'multitask_model')])"
    assert run("-c", code).stdout == "[True, False]\n"


def test_the_directory_the_environment_and_stdin_are_those_of_the_caller(tmp_path: Path) -> None:
    code = "import os; print(os.getcwd(), dict(os.environ)['KEY'], input())"
    environment = {"KEY": "value", "PATH": "/usr/bin:/bin"}
    found = run("-c", code, cwd=tmp_path, env=environment, input="a line\n")
    assert (found.stdout, found.stderr) == (f"{tmp_path} value a line\n", "")


def test_a_script_has_its_arguments_and_its_folder_on_the_path(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("NAME = 'beside'\n")
    script = tmp_path / "script.py"
    script.write_text("import sys, beside; print(__name__, sys.argv[1:], beside.NAME)\n")
    assert run(str(script), "--flag", "x y").stdout == "__main__ ['--flag', 'x y'] beside\n"


def test_the_exit_code_and_the_message_are_those_of_the_process() -> None:
    found = run("-c", "import sys; sys.exit('an error')")
    assert (found.returncode, found.stderr) == (1, "an error\n")


def test_the_exit_code_of_an_exception_is_1() -> None:
    found = run("-c", "raise KeyError('key')")
    assert (found.returncode, found.stderr.splitlines()[-1]) == (1, "KeyError: 'key'")


def test_a_process_ends_after_its_threads_and_its_exit_handlers() -> None:
    code = (
        "import atexit, sys, threading, time\n"
        "atexit.register(print, 'handler', end='')\n"
        "threading.Thread(target=lambda: (time.sleep(0.1), print('thread'))).start()\n"
        "sys.exit(3)"
    )
    found = run("-c", code)
    assert (found.returncode, found.stdout) == (3, "thread\nhandler")


def test_a_signal_ends_both_processes() -> None:
    assert run("-c", "import os; os.kill(os.getpid(), 9)").returncode == -9


def test_a_process_ends_with_its_client() -> None:
    command = [forked_python(), "-c", "import time; print('started', flush=True); time.sleep(600)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == b"started\n"
        client.kill()
        assert client.stdout.read() == b""  # the last process that had this pipe has ended
