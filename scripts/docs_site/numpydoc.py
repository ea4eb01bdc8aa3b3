"""
Converts docstrings in AllenNLP's Markdown to the numpydoc style, which documentation tools parse:
the heading `# Parameters` becomes an underlined one, and types lose their backticks.
"""

import re
import textwrap

HEADING = re.compile(r"^# (Parameters|Returns|Raises|Examples)\n+", re.M)
ITEM = re.compile(r"^(?:(\*{0,2}\w+) : )?`([^`]+)`(?:, optional(?: \(default = (.+)\))?)?$", re.M)
EXAMPLE = re.compile(r"^    >>> .*(?:\n    .*)*", re.M)


def to_numpydoc(docstring: str) -> str:
    """
    Returns the docstring in the numpydoc style.

    # Parameters

    docstring : `str`
        Without the indentation of the code.
    """
    text, *sections = HEADING.split(docstring)
    parts = [EXAMPLE.sub(_fence, text)]
    for name, content in zip(sections[::2], sections[1::2]):
        is_code = name == "Examples"
        content = textwrap.dedent(content) if is_code else ITEM.sub(_item, content)
        parts.append(f"{name}\n{'-' * len(name)}\n{content}")
    return "".join(parts)


def _fence(example: "re.Match[str]") -> str:
    """Returns an indented example as a fenced one, which is highlighted."""
    return f"```pycon\n{textwrap.dedent(example.group())}\n```"


def _item(item: "re.Match[str]") -> str:
    """Returns `name : type, default: value` for ``name : `type`, optional (default = `value`)``."""
    name, annotation, default = item.groups()
    prefix = f"{name} : " if name else ""
    suffix = ", default: " + default.replace("`", "") if default else ""
    return prefix + annotation + suffix
