"""Tables in HTML."""

import re
from html import escape
from typing import List, NamedTuple, Optional, Sequence

from multitask_model.training.report.console_table import number


class Cell(NamedTuple):
    """
    A cell of a table: HTML, and the value that the table is sorted by.

        >>> text_cell("a < b").html, number_cell(0.5).html
        ('a &lt; b', '0.500')
    """

    html: str
    sort: Optional[float] = None
    style: str = ""


class Column(NamedTuple):
    """
    A column of a table.

        >>> Column("best", "num").style
        'num'
    """

    title: str
    style: str = ""
    hint: str = ""
    """What the column means, shown on hover and in the legend of the table."""


def text_cell(text: str, style: str = "") -> Cell:
    """Returns a cell with a text."""
    return Cell(breakable(text), style=style)


def breakable(name: str) -> str:
    """
    Returns a name as HTML that may be broken after each part.

        >>> breakable("dependency_parser")
        'dependency_<wbr>parser'
    """
    return re.sub(r"([_\-./:])(?=.)", r"\1<wbr>", escape(name))


def number_cell(value: Optional[float], text: Optional[str] = None, style: str = "") -> Cell:
    """Returns a cell with a number, or an empty one for `None`."""
    if value is None:
        return Cell("", style=style)
    return Cell(escape(number(value) if text is None else text), value, style)


def bar_cell(part: Optional[float]) -> Cell:
    """Returns a cell with a percentage and a bar of that length."""
    if part is None:
        return Cell("")
    width = max(0.0, min(1.0, part))
    bar = f'<span class="bar"><span style="width:{100 * width:.1f}%"></span></span>'
    return Cell(f"{bar}{100 * part:.1f}%", part)


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    style: str = "",
    sortable: bool = True,
) -> str:
    """
    Returns a table in a box that scrolls if the table is wider than the page. The first cell of
    each row is its header and stays in view.
    """
    head = "".join(_header(column, sortable) for column in columns)
    body = "".join(_row(columns, row) for row in rows)
    kind = " ".join(filter(None, [style, "sortable" if sortable else ""]))
    return (
        f'<div class="scroll" tabindex="0"><table class="{kind}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _header(column: Column, sortable: bool) -> str:
    title = escape(column.title)
    hint = f' title="{escape(column.hint)}"' if column.hint else ""
    content = f'<button type="button">{title}</button>' if sortable and title else title
    return f'<th scope="col" class="{column.style}"{hint}>{content}</th>'


def _row(columns: Sequence[Column], row: Sequence[Cell]) -> str:
    cells: List[str] = []
    for i, (column, cell) in enumerate(zip(columns, row)):
        style = " ".join(filter(None, [column.style, cell.style]))
        sort = "" if cell.sort is None else f' data-sort="{cell.sort!r}"'
        tag, scope = ("th", ' scope="row"') if i == 0 else ("td", "")
        cells.append(f'<{tag}{scope} class="{style}"{sort}>{cell.html}</{tag}>')
    return f"<tr>{''.join(cells)}</tr>"
