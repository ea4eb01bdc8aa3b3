"""The metadata of the installed package."""

import importlib.metadata
import importlib.resources
import re

import multitask_model
from tests.helpers.commands import ROOT


def test_the_installed_version_is_the_version_of_the_package() -> None:
    assert importlib.metadata.version("multitask-model") == multitask_model.__version__


def test_the_changelog_has_the_version_of_the_package() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\n## {multitask_model.__version__} " in changelog


def test_the_package_is_marked_as_typed() -> None:
    assert (importlib.resources.files(multitask_model) / "py.typed").is_file()


def test_the_description_for_a_package_index_has_no_relative_links() -> None:
    metadata = importlib.metadata.distribution("multitask-model").read_text("METADATA")
    description = str(metadata).partition("\n\n")[2]
    assert "Multi-task learning with [AllenNLP](https://" in description
    assert re.findall(r"\]\((?!https?:)", description) == []


def test_the_line_that_python_runs_at_its_start_is_installed() -> None:
    """In an editable install too."""
    files = importlib.metadata.files("multitask-model") or []
    (installed,) = [file for file in files if file.name == "multitask_model_startup.pth"]
    assert len(installed.parts) == 1  # in site-packages, where Python looks for it
    assert installed.read_text() == (ROOT / "multitask_model_startup" / "startup.pth").read_text()
