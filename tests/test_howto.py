"""The pages in docs/howto: their files and commands run in the project that `new` writes."""

import re
import shlex
from pathlib import Path
from typing import List

import pytest

from multitask_model.__main__ import main
from multitask_model.commands.new import write_starter
from tests.helpers.commands import training_here
from tests.helpers.pages import DOCS, run_in

PAGES = sorted((DOCS / "howto").glob("*.md"))
BLOCK = re.compile(r"(?:`([\w/.]+)`:\n\n)?^```(\w+)\n(.*?)^```$", re.M | re.S)
"""A block, with the name of its file if the line before it ends with one."""

COMMAND = re.compile(r"^(?:[^\n]*<<END\n.*?^END$|[^\n]+)", re.M | re.S)
FAILS = "  # fails"
STARTS_PROCESSES = "distributed.jsonnet"
"""Described and not trained, which takes 40 seconds: tests/distributed trains such configs."""


class PageRunner:
    """Runs the blocks of a page in order, in the project, and compares what they print."""

    def __init__(self, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.project, self.capsys = project, capsys
        self.printed = ""

    def run(self, page: Path) -> None:
        for file, language, code in BLOCK.findall(page.read_text(encoding="utf-8")):
            if file:
                (self.project / file).write_text(code)
            elif language == "bash":
                for command in COMMAND.findall(code):
                    self.run_command(command)
            else:
                assert language == "text", f"a {language} block needs the name of its file"
                assert code in "".join(f"{line.rstrip()}\n" for line in self.printed.splitlines())

    def run_command(self, command: str) -> None:
        if command.startswith("multitask-model "):
            arguments = shlex.split(command, comments=True)[1:]
            if STARTS_PROCESSES in arguments:
                arguments = ["describe", STARTS_PROCESSES]
            self.run_here(arguments, fails=command.endswith(FAILS))
        else:
            self.printed += run_in(self.project, ["bash", "-euc", command])

    def run_here(self, arguments: List[str], fails: bool) -> None:
        """Runs `multitask-model` in this process, which saves the time of importing it."""
        if fails:
            with pytest.raises(SystemExit) as raised:
                main(arguments)
            self.printed += f"{raised.value.code}\n"
        else:
            main(arguments)
        self.printed += self.capsys.readouterr().out


@pytest.fixture(name="project")
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The starter project with a shorter training, as the working directory."""
    write_starter(tmp_path)
    config = tmp_path / "experiment.jsonnet"
    config.write_text(config.read_text().replace("num_epochs: 20", "num_epochs: 2"))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_blocks_of_a_page(
    page: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with training_here():
        PageRunner(project, capsys).run(page)
