"""The pages of the reference have every public class and function."""

import re
from types import ModuleType

from tests.helpers.pages import DOCS
from tests.test_docstrings import PUBLIC


def test_the_reference_has_every_exported_class_and_function() -> None:
    pages = [page.read_text(encoding="utf-8") for page in sorted(DOCS.glob("reference/*.md"))]
    documented = re.findall(r"^::: [\w.]+\.(\w+)$", "\n".join(pages), re.M)
    exported = {
        name
        for module in PUBLIC
        for name in module.__all__
        if not isinstance(getattr(module, name), ModuleType)
    }
    assert sorted(documented) == sorted(exported)
