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
