"""The metadata of the installed package."""

import importlib.metadata
import importlib.resources

import multitask_model
from tests.helpers.commands import ROOT


def test_the_installed_version_is_the_version_of_the_package() -> None:
    assert importlib.metadata.version("multitask-model") == multitask_model.__version__


def test_the_changelog_has_the_version_of_the_package() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\n## {multitask_model.__version__} " in changelog


def test_the_package_is_marked_as_typed() -> None:
    assert (importlib.resources.files(multitask_model) / "py.typed").is_file()
