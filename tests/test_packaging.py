"""What an installed copy of the package says about itself."""

import importlib.metadata
import importlib.resources

import multitask_model


def test_the_installed_version_is_the_version_of_the_package() -> None:
    assert importlib.metadata.version("multitask-model") == multitask_model.__version__


def test_the_package_is_marked_as_typed() -> None:
    assert (importlib.resources.files(multitask_model) / "py.typed").is_file()
