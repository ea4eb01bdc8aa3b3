"""Every block of code of every page can run: it loads, or its commands and files are known."""

import re
import subprocess
from pathlib import Path
from typing import Dict, List

import pytest
from _jsonnet import evaluate_snippet  # type: ignore[import-untyped]
from allennlp.commands.subcommand import Subcommand

import multitask_model  # noqa: F401  (registers its subcommands)
from multitask_model.commands.new import STARTER
from tests.helpers.commands import ROOT
from tests.helpers.pages import DOCS, CodeBlock, code_blocks, config_excerpts
from tests.test_docs import PAGES

COMMAND = re.compile(r"^(?:    )?(allennlp|multitask-model|make|python|sh) (.+)$", re.M)
"""A command on a line of its own, in a block."""


def blocks(language: str) -> List[object]:
    return [
        pytest.param(block, id=f"{page.relative_to(ROOT)}-{number}")
        for page in PAGES
        for number, block in enumerate(code_blocks(page))
        if block.language == language
    ]


def commands() -> List[object]:
    found = {
        match.groups() for page in PAGES for match in COMMAND.finditer(page.read_text("utf-8"))
    }
    return [pytest.param(*command, id=" ".join(command)[:60]) for command in sorted(found)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_has_a_language_that_is_tested(page: Path) -> None:
    fences = re.findall(r"^ *```(.*)$", page.read_text(encoding="utf-8"), re.M)
    assert set(fences[::2]) <= {"bash", "jsonc", "jsonnet", "python", "text"}
    assert set(fences[1::2]) <= {""}


@pytest.mark.parametrize("block", blocks("jsonnet"))
def test_configs_load(block: CodeBlock) -> None:
    # How-tos import the config of the starter project.
    directory = str(STARTER / "page.jsonnet")
    assert "model" in evaluate_snippet(directory, block.code)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_excerpts_of_configs_load(page: Path) -> None:
    assert all(config_excerpts(page))


@pytest.mark.parametrize("block", blocks("python"))
def test_python_compiles(block: CodeBlock) -> None:
    compile(block.code, "page", "exec")


@pytest.mark.parametrize("block", blocks("bash"))
def test_shell_parses(block: CodeBlock, tmp_path: Path) -> None:
    subprocess.run(["bash", "-n", "-c", block.code], cwd=tmp_path, check=True)


@pytest.mark.parametrize(("program", "arguments"), commands())
def test_commands_are_known(program: str, arguments: str) -> None:
    first = arguments.split()[0]
    if program in ("allennlp", "multitask-model"):
        assert first in Subcommand.list_available()
    elif program == "make":
        assert re.search(rf"^{first}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    elif first not in ("-m", "-c"):
        assert (ROOT / first).exists()


def test_the_classes_are_registered_as_the_page_says() -> None:
    (block,) = (b for b in code_blocks(DOCS / "differences.md") if b.language == "python")
    exec(block.code, {})


def test_the_metric_that_names_its_sums() -> None:
    scope: Dict[str, type] = {}
    (block,) = (b for b in code_blocks(DOCS / "distributed.md") if b.language == "python")
    exec(block.code, scope)
    assert vars(scope["Misses"])["summed_attributes"] == ("misses", "total")
