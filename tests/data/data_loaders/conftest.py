"""Worker processes that start in milliseconds."""

import pytest


@pytest.fixture(autouse=True)
def _forked_workers(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("slow"):
        request.getfixturevalue("forked_workers")
