"""Docstrings in AllenNLP's Markdown become numpydoc, which the reference is made from."""

from scripts.docs_site.numpydoc import to_numpydoc


def test_headings_are_underlined_and_items_lose_their_backticks() -> None:
    docstring = "Text.\n\n# Parameters\n\nvocab : `Vocabulary`\n**kwargs : `Any`\n    Others.\n"
    assert to_numpydoc(docstring) == (
        "Text.\n\nParameters\n----------\nvocab : Vocabulary\n**kwargs : Any\n    Others.\n"
    )


def test_a_default_is_a_value_or_a_description() -> None:
    docstring = (
        "# Parameters\n\n"
        "a : `int`, optional (default = `1`)\nb : `List[str]`, optional (default = all heads)\n"
        "c : `str`, optional\n"
    )
    assert to_numpydoc(docstring) == (
        "Parameters\n----------\na : int, default: 1\nb : List[str], default: all heads\nc : str\n"
    )


def test_results_and_errors_have_no_name() -> None:
    docstring = "# Returns\n\n`Dict[str, int]`\n    A `dict`.\n\n# Raises\n\n`KeyError`\n    If.\n"
    assert to_numpydoc(docstring) == (
        "Returns\n-------\nDict[str, int]\n    A `dict`.\n\nRaises\n------\nKeyError\n    If.\n"
    )


def test_examples_in_the_text_are_fenced() -> None:
    docstring = "Text.\n\n    loss = 1\n\n    >>> 1 + 1\n    2\n\nMore.\n"
    assert to_numpydoc(docstring) == (
        "Text.\n\n    loss = 1\n\n```pycon\n>>> 1 + 1\n2\n```\n\nMore.\n"
    )


def test_examples_in_a_section_are_not_indented() -> None:
    docstring = "# Examples\n\n    >>> for i in []:\n    ...     pass\n"
    assert to_numpydoc(docstring) == "Examples\n--------\n>>> for i in []:\n...     pass\n"
