"""The command `multitask-model`."""

import contextlib
import re
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.data.data_loaders.multiprocess_data_loader import WorkerError

import multitask_model
from multitask_model.__main__ import main, one_line
from tests.helpers.commands import ROOT, run_forked, training_here
from tests.helpers.descriptions import change_config, write_config

Capture = pytest.CaptureFixture[str]


def exit_message(*arguments: object) -> object:
    with training_here(), pytest.raises(SystemExit) as error:
        main([str(argument) for argument in arguments])
    return error.value.code


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_lists_the_commands(arguments: List[str], capsys: Capture) -> None:
    main(arguments)
    printed = capsys.readouterr().out
    commands = re.findall(r"^    ([a-z-]+)", printed, re.M)
    assert {"train", "evaluate", "predict", "find-lr", "describe", "new"} <= set(commands)
    assert "  --debug " in printed


@pytest.mark.parametrize("arguments", [["--help"], ["describe", "--help"], ["new", "--help"]])
def test_help_has_80_columns(
    arguments: List[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with contextlib.suppress(SystemExit):
        main(arguments)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_version(capsys: Capture) -> None:
    main(["--version"])
    version = multitask_model.__version__
    assert capsys.readouterr().out == f"multitask-model {version} (AllenNLP 2.10.1)\n"


def test_an_unknown_command_is_one_line() -> None:
    assert exit_message("trian", "config.jsonnet") == (
        "error: multitask-model requires the name of a command, but got 'trian'. Did you mean "
        "'train'? `multitask-model --help` lists the commands."
    )


def test_an_error_of_a_command_is_one_line(tmp_path: Path) -> None:
    path = write_config(tmp_path, loss_weights={"mod": 1.0})
    assert exit_message("train", path, "-s", tmp_path / "run") == (
        "error: loss_weights must name 'backbone' or a head, but got 'mod'. Did you mean 'mood'? "
        "Known names: ['backbone', 'genre', 'mood', 'polarity']."
    )


def test_the_log_of_a_training_has_the_traceback(tmp_path: Path) -> None:
    path = write_config(tmp_path, loss_weights={"mod": 1.0})
    exit_message("train", path, "-s", tmp_path / "run")
    log = (tmp_path / "run" / "out.log").read_text()
    assert "Uncaught exception\nTraceback (most recent call last):\n" in log
    assert "ConfigurationError: loss_weights must name 'backbone' or a head" in log


def test_debug_raises_the_error(tmp_path: Path) -> None:
    path = str(write_config(tmp_path, loss_weights={"mod": 1.0}))
    with training_here(), pytest.raises(ConfigurationError, match="^loss_weights must name"):
        main(["train", path, "--debug", "-s", str(tmp_path / "run")])


def test_a_missing_environment_variable_is_named(tmp_path: Path) -> None:
    path = tmp_path / "config.jsonnet"
    path.write_text('{ model: std.extVar("NO_SUCH_VARIABLE") }')
    assert exit_message("describe", path) == (
        "error: The config reads the environment variable NO_SUCH_VARIABLE, which is not set. Set "
        "it."
    )


def test_other_errors_have_their_type() -> None:
    error = RuntimeError("size mismatch:\n    expected 3\n")
    expected = "RuntimeError: size mismatch: expected 3 (--debug prints the traceback)"
    assert one_line(error) == expected


def test_the_traceback_of_a_worker_is_left_out() -> None:
    error = WorkerError("ValueError: no such number", ["  File ...\n"])
    expected = (
        "WorkerError: worker raised ValueError: no such number (--debug prints the traceback)"
    )
    assert one_line(error) == expected


def test_a_training_runs(tmp_path: Path) -> None:
    with training_here():
        main(["train", str(write_config(tmp_path)), "-s", str(tmp_path / "run")])
    assert (tmp_path / "run" / "model.tar.gz").is_file()


def test_the_script_is_declared() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert '[project.scripts]\nmultitask-model = "multitask_model.__main__:main"\n' in pyproject


@pytest.mark.slow
def test_a_distributed_training_includes_the_package(tmp_path: Path) -> None:
    distributed = {
        "cuda_devices": [-1, -1],
        "ddp_accelerator": {"type": "torch", "find_unused_parameters": True},
        "master_port": 29571,
    }
    # The processes must call the same heads.
    loader = {
        "type": "multitask",
        "scheduler": {"type": "homogeneous_roundrobin", "batch_size": 2},
        "sampler": "uniform",
        "instances_per_epoch": 8,
    }
    tasks = {"tweets": ["polarity"], "ewt": ["genre"]}
    path = write_config(tmp_path, task_heads=tasks)
    change_config(path, distributed=distributed, data_loader=loader, validation_data_path=None)
    run_forked("-m", "multitask_model", "train", path, "-s", tmp_path / "run", directory=ROOT)
    assert (tmp_path / "run" / "model.tar.gz").is_file()


@pytest.mark.slow
def test_nothing_else_than_the_error_is_printed(tmp_path: Path) -> None:
    # Not even the warnings of what AllenNLP imports.
    command = [sys.executable, "-m", "multitask_model", "describe", "absent.jsonnet"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert result.returncode == 1
    assert result.stderr == (
        "error: describe requires a config file or an archive, but 'absent.jsonnet' does not "
        "exist. Correct the path.\n"
    )
