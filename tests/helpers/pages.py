"""The code blocks of the README and of the pages in docs, and a way to run them."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

from _jsonnet import evaluate_snippet  # type: ignore[import-untyped]

from tests.helpers.commands import ROOT
from tests.helpers.forked import forked_commands

DOCS = ROOT / "docs"
README = ROOT / "README.md"


class CodeBlock(NamedTuple):
    language: str
    code: str


def code_blocks(page: Path) -> List[CodeBlock]:
    """The fenced code blocks of a page, in order."""
    found = re.findall(r"^```(\w+)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)
    return [CodeBlock(*block) for block in found]


def code_block(page: Path, language: str) -> str:
    """The only code block of a language."""
    (code,) = (block.code for block in code_blocks(page) if block.language == language)
    return code


def config_excerpts(page: Path) -> List[Dict[str, Any]]:
    """The `jsonc` blocks, which are the fields of an object, as JSON."""
    codes = [block.code for block in code_blocks(page) if block.language == "jsonc"]
    return [json.loads(evaluate_snippet("", f"{{{code}}}")) for code in codes]


def run_in(folder: Path, command: List[str]) -> str:
    """
    Runs a command in `folder` and returns what it writes to stdout. The command finds this
    checkout, and `python`, `allennlp` and `multitask-model`, which run in processes that have
    imported AllenNLP.
    """
    path = os.pathsep.join([str(forked_commands()), os.environ["PATH"]])
    result = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stdout
