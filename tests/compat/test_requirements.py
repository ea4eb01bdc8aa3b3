"""The error for a missing AllenNLP or FairScale."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

INSTALL = "pip install --no-deps allennlp==2.10.1 fairscale==0.4.6"


def run_code(code: str, path: Path) -> "subprocess.CompletedProcess[str]":
    """
    Runs code in a new process, which searches `path` for modules first. The patches are not applied
    at its start, where they import PyTorch.
    """
    code = f"import sys; sys.path.insert(0, {str(path)!r}); {code}"
    environment = {**os.environ, "MULTITASK_MODEL_STARTUP": "0"}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300
    )


@pytest.mark.parametrize("missing", ["allennlp", "fairscale"])
def test_importing_the_package_without_them_names_the_command_that_installs_them(
    missing: str, tmp_path: Path
) -> None:
    result = run_code(f"sys.modules[{missing!r}] = None; import multitask_model", tmp_path)
    assert result.returncode == 1
    message = (
        "ImportError: multitask_model requires AllenNLP 2.10.1 and fairscale 0.4.6, but "
        f"{missing!r} is not installed. Install both, without their outdated requirements, by:"
    )
    assert result.stderr.splitlines()[-2:] == [message, INSTALL]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("import a_missing_module", "No module named 'a_missing_module'"),
        ("import allennlp.a_missing_module", "No module named 'allennlp.a_missing_module'"),
        ("from json import a_missing_name", "cannot import name 'a_missing_name'"),
    ],
)
def test_other_import_errors_are_raised_unchanged(
    content: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "allennlp").mkdir()
    (tmp_path / "allennlp" / "__init__.py").write_text(content)
    result = run_code("import multitask_model", tmp_path)
    assert result.returncode == 1
    assert message in result.stderr.splitlines()[-1]
    assert INSTALL not in result.stderr
