"""Lets the reference read AllenNLP's Markdown docstrings. `mkdocs.yml` names this file."""

from typing import Any

import griffe

from scripts.docs_site.numpydoc import to_numpydoc


class AllenNlpDocstrings(griffe.Extension):
    """Converts every docstring of the package before it is parsed."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = to_numpydoc(obj.docstring.value)
