"""The upper bounds of `pyproject.toml`: the releases that `make latest` last passed with."""

import importlib.metadata
import sys
from typing import List

import pytest
from packaging.requirements import Requirement

from tests.helpers.commands import ROOT

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="AllenNLP's own requirements have the bounds"
)

UPPER = {"<", "<=", "==", "~="}


def read_requirements(*extras: str) -> List[Requirement]:
    """The requirements of the package and of some extras, as far as they apply to this Python."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = [project["dependencies"], *(project["optional-dependencies"][name] for name in extras)]
    requirements = [Requirement(line) for lines in lists for line in lines]
    return [one for one in requirements if one.marker is None or one.marker.evaluate()]


def unbounded(requirements: List[Requirement]) -> List[str]:
    return [one.name for one in requirements if not UPPER & {s.operator for s in one.specifier}]


def outside(requirements: List[Requirement]) -> List[str]:
    """The requirements that the installed releases do not meet, each with the release."""
    found = [(one, importlib.metadata.version(one.name)) for one in requirements]
    return [
        f"{one.name} {version} is not in {one.specifier}"
        for one, version in found
        if not one.specifier.contains(version, prereleases=True)
    ]


def test_every_requirement_of_the_package_has_an_upper_bound() -> None:
    assert unbounded(read_requirements("datasets", "gradients")) == []


def test_the_installed_releases_are_within_the_bounds() -> None:
    assert outside(read_requirements("dev")) == []


def test_the_development_tools_include_the_extras() -> None:
    tools = {str(one) for one in read_requirements("dev")}
    assert {str(one) for one in read_requirements("datasets", "gradients")} <= tools


@pytest.mark.parametrize("line", ["torch", "torch>=2.6", "torch!=2.7"])
def test_a_requirement_without_an_upper_bound_is_found(line: str) -> None:
    assert unbounded([Requirement(line), Requirement("numpy<3")]) == ["torch"]


def test_a_release_outside_its_bound_is_found() -> None:
    pytest_version = importlib.metadata.version("pytest")
    lines = [f"pytest<{pytest_version}", f"pytest<={pytest_version}"]
    assert outside([Requirement(line) for line in lines]) == [
        f"pytest {pytest_version} is not in <{pytest_version}"
    ]
