"""The patch of how AllenNLP imports the modules of a package."""

import subprocess
from typing import Any, List

import pytest
from allennlp.common import util

from multitask_model.compat.submodules import import_own_modules_at_once
from tests.helpers.commands import ROOT
from tests.helpers.forked import forked_python


@pytest.fixture(name="others")
def _others(monkeypatch: pytest.MonkeyPatch) -> List[object]:
    """The packages that AllenNLP's function was called with."""
    calls: List[object] = []

    def original(package_name: str, exclude: Any = None) -> None:
        calls.append((package_name, exclude))

    monkeypatch.setattr(util, "import_module_and_submodules", original)
    import_own_modules_at_once()
    return calls


@pytest.mark.parametrize("name", ["my_package", "multitask_model", "multitask_models.heads"])
def test_other_packages_are_imported_by_allennlp(name: str, others: List[object]) -> None:
    util.import_module_and_submodules(name, {"other"})
    assert others == [(name, {"other"})]


def test_allennlp_does_not_import_own_modules(others: List[object]) -> None:
    util.import_module_and_submodules("multitask_model.heads")
    assert others == []


@pytest.mark.slow
def test_an_included_package_is_imported_with_all_of_its_modules() -> None:
    code = """
import pathlib, sys
from allennlp.common.util import import_module_and_submodules
import_module_and_submodules("multitask_model")
import multitask_model
folder = pathlib.Path(multitask_model.__file__).parent
names = {".".join(p.relative_to(folder.parent).with_suffix("").parts) for p in folder.rglob("*.py")}
names = {n[: -len(".__init__")] if n.endswith(".__init__") else n for n in names}
print(sorted(n for n in names - set(sys.modules) if ".starter." not in n))  # no package
"""
    done = subprocess.run(
        [str(forked_python()), "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "['multitask_model.__main__']"


@pytest.mark.slow
def test_only_an_included_package_is_kept_from_the_garbage_collector() -> None:
    code = """
import gc
gc.unfreeze()
import multitask_model
print(gc.get_freeze_count() > 100_000)
from allennlp.common.util import import_module_and_submodules
import_module_and_submodules("multitask_model")
print(gc.get_freeze_count() > 100_000)
"""
    done = subprocess.run(
        [str(forked_python()), "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False", "True"]
