"""The parts of the page on tasks, on the course of the training, and on conflicts."""

from html import escape
from typing import Callable, List, Mapping, Optional, Sequence, Tuple

from multitask_model.routing.output_names import LOSS, WEIGHT
from multitask_model.training.aggregation_checks import GRADIENT_NORM
from multitask_model.training.report.records import MODEL, EpochRecord, Report
from multitask_model.training.report.summary import Point, points
from multitask_model.training.report.svg import describe_points, sparkline
from multitask_model.training.report.tables import (
    Cell,
    Column,
    bar_cell,
    number_cell,
    table,
    text_cell,
)

Series = Tuple[str, List[Point]]

MAX_OPEN = 8
"""The number of heads up to which all parts are open."""


def task_section(report: Report) -> str:
    """Returns a table of the tasks: their instances, proportions and seconds."""
    last = report.epochs[-1] if report.epochs else EpochRecord(0)
    if not last.instances:
        return ""
    tasks = dict.fromkeys(task for record in report.epochs for task in record.instances)
    seconds = sum(last.seconds.values())
    columns = [
        Column("task"),
        Column("instances", "num", "in the last epoch"),
        Column("of instances", "num"),
        Column("in each epoch", "chart", "the proportion of instances"),
        Column("seconds", "num", "of the last epoch's training steps"),
        Column("of seconds", "num"),
        Column("ms each", "num", "milliseconds of training for an instance"),
    ]
    rows = []
    for task in tasks:
        count, spent = last.instances.get(task, 0), last.seconds.get(task, 0.0)
        shares = [(r.epoch, share) for r in report.epochs if (share := r.share(task)) is not None]
        rows.append(
            [
                text_cell(task),
                number_cell(count, f"{count:,}"),
                bar_cell(last.share(task)),
                Cell(sparkline(shares, f"proportion of {task}: {describe_points(shares)}")),
                number_cell(spent, f"{spent:.1f}"),
                bar_cell(spent / seconds if seconds else None),
                number_cell(1000 * spent / count if count else None),
            ]
        )
    return table(columns, rows)


def run_section(report: Report) -> str:
    """Returns tables with a row for each number that changes from epoch to epoch."""
    parts = [_course(_series(report))]
    for title, kind in (("Weights of the heads", WEIGHT), ("Gradient norms", GRADIENT_NORM)):
        of_heads = [(head, points(report, head, "training", kind)) for head in report.heads]
        rows = _course(of_heads)
        if rows:
            is_open = " open" if len(of_heads) <= MAX_OPEN else ""
            parts.append(
                f'<details class="course"{is_open}><summary>{title}</summary>{rows}</details>'
            )
    return "".join(parts)


def _course(series: Sequence[Series]) -> str:
    columns = [
        Column(""),
        Column("by epoch", "chart"),
        Column("first", "num"),
        Column("last", "num"),
        Column("lowest", "num wide"),
        Column("highest", "num wide"),
    ]
    rows = []
    for name, values in series:
        if values:
            numbers = [value for _, value in values]
            shown = [numbers[0], numbers[-1], min(numbers), max(numbers)]
            chart = Cell(sparkline(values, f"{name}: {describe_points(values)}"))
            rows.append([text_cell(name), chart, *map(_cell, shown)])
    return table(columns, rows, "course", sortable=False) if rows else ""


def _cell(value: float) -> Cell:
    """Counts are integers, and are written as such."""
    return number_cell(value, f"{value:,}" if isinstance(value, int) else None)


def _series(report: Report) -> List[Series]:
    series = [
        ("joint loss, training", points(report, MODEL, "training", LOSS)),
        ("joint loss, validation", points(report, MODEL, "validation", LOSS)),
        ("padding ratio, training", _of(report, lambda r: r.padding.get("training"))),
        ("padding ratio, validation", _of(report, lambda r: r.padding.get("validation"))),
        ("instances", _of(report, lambda r: _sum(r.instances))),
        ("seconds, all", _of(report, lambda r: r.total_seconds)),
        ("seconds, training steps", _of(report, lambda r: _sum(r.seconds))),
    ]
    for group in dict.fromkeys(name for r in report.epochs for name in r.learning_rates):
        rates = _of(report, lambda r, group=group: r.learning_rates.get(group))  # type: ignore
        series.append((f"learning rate, {group}", rates))
    return series


def _of(report: Report, value: Callable[[EpochRecord], Optional[float]]) -> List[Point]:
    values = [(record.epoch, value(record)) for record in report.epochs]
    return [(epoch, number) for epoch, number in values if number is not None]


def _sum(values: Mapping[str, float]) -> Optional[float]:
    return sum(values.values()) if values else None


def conflict_section(report: Report) -> str:
    """Returns the matrix of cosines between the heads' gradients, if they were recorded."""
    cosines = next((r.cosines for r in reversed(report.epochs) if r.cosines), [])
    if not cosines:
        return ""
    found = {pair: value for a, b, value in cosines for pair in ((a, b), (b, a))}
    heads = [head for head in report.heads if any(head in pair for pair in found)]
    rows = []
    for i, head in enumerate(heads):
        cells = [_cosine_cell(found.get((head, other)), head, other) for other in heads]
        rows.append([text_cell(f"{i + 1} {head}"), *cells])
    columns = [Column("head"), *(Column(str(i + 1), "heat", h) for i, h in enumerate(heads))]
    text = (
        "<p>The cosine between the gradients of two heads at the shared parameters, the mean of "
        "the last epoch. Below 0 (orange), a small step for one head increases the loss of the "
        "other. A column has the number of its head.</p>"
    )
    return text + table(columns, rows, "matrix", sortable=False)


def _cosine_cell(value: Optional[float], first: str, second: str) -> Cell:
    if value is None:
        return Cell("", style="diagonal")
    color = "--cold" if value < 0 else "--heat"
    title = escape(f"{first} and {second}: {value:.3f}")
    return Cell(heat(color, abs(value), f"{value:+.2f}".replace("0.", "."), title), value)


def heat(color: str, strength: float, text: str, title: str) -> str:
    """Returns a cell's content with a background of this strength, from 0 to 1."""
    alpha = 0.6 * max(0.0, min(1.0, strength))
    return (
        f'<span title="{title}" style="background:rgba(var({color}),{alpha:.2f})">'
        f"{escape(text)}</span>"
    )
