"""The table of an epoch in the terminal."""

from typing import List, Optional, Sequence

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from multitask_model.training.report.records import Report
from multitask_model.training.report.summary import HeadSummary, Point, summarize

HEAD_WIDTH = 28
HEAD_PART = 0.35
"""The largest width of the names of heads, and the largest part of the terminal that they take."""

METRIC_WIDTH = 10

MAX_WIDTH = 1000
"""A width that no table needs."""

COLUMNS = ("head", "train", "valid", "metric", "value", "best", "in", "share", "s")
"""The last two are of the training instances and of the training steps."""

LEAST_IMPORTANT = ("s", "share", "in", "best", "train", "valid", "metric")
"""The columns that a narrow terminal has no room for, in the order in which they are left out."""


def print_table(report: Report, console: Console) -> None:
    """
    Prints the last epoch: a line for each head with its training and validation loss, its main
    metric, the best value so far and the epoch of it, its share of the instances, and its seconds.
    In a narrow terminal, the least important columns are left out.
    """
    heads = summarize(report)
    names, widest = list(COLUMNS), min(HEAD_WIDTH, max(4, int(HEAD_PART * console.width)))
    table = _table(heads, names, widest)
    for name in LEAST_IMPORTANT:
        if _width(console, table) <= console.width:
            break
        names.remove(name)
        table = _table(heads, names, widest)
    with console.capture() as capture:
        console.print(Text(_title(report)), soft_wrap=True)
        console.print(table)
    # Rich raises an error for a character that the terminal has not, such as "…" in Latin-1.
    shown = capture.get().encode(console.encoding, "replace").decode(console.encoding)
    console.file.write(shown)
    console.file.flush()


def _width(console: Console, table: Table) -> int:
    options = console.options.update(max_width=MAX_WIDTH)
    return Measurement.get(console, options, table).maximum


def _table(heads: Sequence[HeadSummary], names: Sequence[str], widest: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    for name in names:
        table.add_column(
            name,
            justify="left" if name in ("head", "metric") else "right",
            no_wrap=True,
            overflow="ellipsis",
            max_width={"head": widest, "metric": METRIC_WIDTH}.get(name),
        )
    for head in heads:
        is_new = len(head.values) > 1 and head.best == head.values[-1]
        cells = dict(zip(COLUMNS, _cells(head)))
        table.add_row(*(Text(cells[n]) for n in names), style="green" if is_new else None)
    return table


def _title(report: Report) -> str:
    chosen = ""
    if report.chosen_epoch is not None:
        metric = ", ".join(report.validation_metric)
        chosen = f"; best so far by {metric}: epoch {report.chosen_epoch}"
    return f"Epoch {report.epochs[-1].epoch}{chosen}"


def _cells(head: HeadSummary) -> List[str]:
    best = head.best
    return [
        head.name,
        number(_last(head.training_losses)),
        number(_last(head.validation_losses)),
        head.metric.label,
        number(_last(head.values)),
        number(None if best is None else best[1]),
        "" if best is None else str(best[0]),
        "" if head.share is None else f"{head.share:.0%}",
        "" if head.seconds is None else f"{head.seconds:.1f}",
    ]


def _last(points: List[Point]) -> Optional[float]:
    return points[-1][1] if points else None


def number(value: Optional[float]) -> str:
    """
    Returns a number in at most seven characters.

        >>> number(0.98765), number(12.3456), number(123456.0), number(0.00001), number(None)
        ('0.988', '12.35', '1.2e+05', '1.0e-05', '')
    """
    if value is None:
        return ""
    size = abs(value)
    if size and not 0.001 <= size < 10000:
        return f"{value:.1e}"
    return f"{value:.3f}" if size < 10 else f"{value:.2f}" if size < 100 else f"{value:.1f}"
