"""The code blocks of CONTRIBUTING.md: a head, its row and its test, which pass as they are."""

import importlib
import re
import sys
from pathlib import Path
from types import FunctionType
from typing import Iterator, List, Tuple

import pytest
from allennlp.common import Registrable
from allennlp.models.heads import Head

from tests.heads import test_contract as contract
from tests.helpers import head_cases

ROOT = Path(__file__).parent.parent
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()


def blocks() -> Tuple[str, str, str]:
    head, row, test = re.findall(r"^```python\n(.*?)^```$", CONTRIBUTING, re.M | re.S)
    return head, row, test


@pytest.fixture(name="new_head")
def _new_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Writes the head to a module of its own, and adds its row for the time of a test."""
    head, row, _ = blocks()
    (tmp_path / "token_count.py").write_text(head)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("token_count")
    exec(row, vars(head_cases))
    yield "token_count"
    del head_cases.CASES["token_count"]
    del sys.modules["token_count"]
    del Registrable._registry[Head]["token_count"]


def contract_tests() -> List[str]:
    """Returns the names of the contract tests that run on a head and have no other parameters."""
    return [
        name
        for name, test in vars(contract).items()
        if name.startswith("test_")
        and "head" in arguments(test)
        and not hasattr(test, "pytestmark")
    ]


def arguments(test: FunctionType) -> Tuple[str, ...]:
    return test.__code__.co_varnames[: test.__code__.co_argcount]


def test_the_head_of_the_walk_keeps_the_contract_of_heads(new_head: str) -> None:
    assert len(contract_tests()) > 5
    for name in contract_tests():
        fixtures = {
            "head": head_cases.make_head(new_head).eval(),
            "batch": head_cases.make_batch(new_head, contract.LENGTHS),
            "type_name": new_head,
        }
        test = getattr(contract, name)
        test(**{argument: fixtures[argument] for argument in arguments(test)})


def test_the_test_of_the_walk_passes(new_head: str) -> None:
    module = importlib.import_module(new_head)
    scope = dict(vars(module))
    exec(blocks()[2], scope)
    scope["test_prediction_is_a_linear_function_of_the_sum"]()


def test_every_folder_of_the_package_is_on_the_map() -> None:
    package = ROOT / "multitask_model"
    folders = [f for f in package.rglob("*") if f.is_dir() and (f / "__init__.py").exists()]
    missing = [
        folder.name
        for folder in folders
        if f"{folder.relative_to(package).as_posix()}/" not in CONTRIBUTING
    ]
    assert missing == []
