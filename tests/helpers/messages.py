"""Matching the whole message of an error."""

import re


def exactly(message: str) -> str:
    """Returns a pattern for `pytest.raises` that only this message matches."""
    return rf"\A{re.escape(message)}\Z"
