"""The parts of the page on heads."""

from html import escape
from typing import List, Optional, Sequence

from multitask_model.routing.output_names import LOSS
from multitask_model.training.report.console_table import number
from multitask_model.training.report.metric_names import NOT_SCORES
from multitask_model.training.report.records import Report
from multitask_model.training.report.summary import HeadSummary, Point, metrics_of, points
from multitask_model.training.report.svg import Line, describe_points, line_chart
from multitask_model.training.report.tables import (
    Cell,
    Column,
    bar_cell,
    breakable,
    number_cell,
    table,
    text_cell,
)


def head_table(report: Report, heads: Sequence[HeadSummary]) -> str:
    """Returns the table with a row for each head."""
    has_choice = report.chosen_epoch is not None
    columns = [
        Column("head"),
        Column("best", "num", "its best value in any epoch"),
        Column("in epoch", "num", "the epoch of the best value"),
    ]
    if has_choice:
        columns += [
            Column(f"epoch {report.chosen_epoch}", "num", "its value in the chosen epoch"),
            Column("gap", "num", "what the choice of this epoch costs the head"),
        ]
    columns += [
        Column("train loss", "num", "in the last epoch"),
        *([Column("valid. loss", "num", "in the last epoch")] if report.has_validation else []),
        Column("instances", "num", "the part of the last epoch's instances that the head served"),
        Column("seconds", "num", "of the last epoch's training steps, for these instances"),
        Column("remarks", "text"),
    ]
    return table(columns, [_head_row(report, head, has_choice) for head in heads], "heads")


def _head_row(report: Report, head: HeadSummary, has_choice: bool) -> List[Cell]:
    best = head.best or (None, None)
    cells = [
        Cell(f"{breakable(head.name)}<small>{escape(_metric(head))}</small>"),
        number_cell(best[1]),
        number_cell(best[0], str(best[0])),
    ]
    if has_choice:
        style = "warn" if any(r.startswith("best in") for r in head.remarks) else ""
        cells += [number_cell(head.chosen), number_cell(head.gap, style=style)]
    cells.append(number_cell(_last(head.training_losses)))
    if report.has_validation:
        cells.append(number_cell(_last(head.validation_losses)))
    return [
        *cells,
        bar_cell(head.share),
        number_cell(head.seconds, None if head.seconds is None else f"{head.seconds:.1f}"),
        text_cell("; ".join(head.remarks)),
    ]


def _metric(head: HeadSummary) -> str:
    """The main metric, with an arrow to its better values."""
    return f"{head.metric.label} {'↑' if head.metric.sign > 0 else '↓'}"


def _last(values: Sequence[Point]) -> Optional[float]:
    return values[-1][1] if values else None


def head_panels(report: Report, heads: Sequence[HeadSummary]) -> str:
    """Returns the charts of each head, and a list of all of its metrics."""
    legend = ['<span class="key training">training loss</span>']
    if report.has_validation:
        legend.append('<span class="key validation">validation loss</span>')
    legend.append('<span class="key metric">main metric, best epoch circled</span>')
    if report.chosen_epoch is not None:
        legend.append(f'<span class="key chosen">epoch {report.chosen_epoch}, chosen</span>')
    panels = "".join(_panel(report, head) for head in heads)
    return f'<p class="legend">{"".join(legend)}</p><div class="panels">{panels}</div>'


def _panel(report: Report, head: HeadSummary) -> str:
    lines = [
        Line("training", head.training_losses, "training"),
        Line("validation", head.validation_losses, "validation"),
    ]
    described = describe_points(head.validation_losses or head.training_losses)
    losses = line_chart(lines, f"Loss of {head.name}: {described}", report.chosen_epoch)
    metric = line_chart(
        [Line(_short(head.metric.label), head.values, "metric")],
        f"{head.metric.name} of {head.name}: {describe_points(head.values)}",
        report.chosen_epoch,
        head.best,
    )
    best = "" if head.best is None else f"best {head.metric.label} {number(head.best[1])}"
    return (
        f'<article class="panel"><h3><b>{breakable(head.name)}</b><span>{escape(best)}</span></h3>'
        f"{losses}{metric if head.metric.name != LOSS else ''}{_all_metrics(report, head)}"
        "</article>"
    )


def _short(label: str) -> str:
    return label if len(label) <= 10 else f"{label[:9]}…"


def _all_metrics(report: Report, head: HeadSummary) -> str:
    splits = ["training", *(["validation"] if report.has_validation else [])]
    names = dict.fromkeys(n for split in splits for n in metrics_of(report, head.name, split))
    columns = [Column("metric"), *(Column(split, "num") for split in splits)]
    rows = []
    for name in names:
        if name not in NOT_SCORES:
            last = [_last(points(report, head.name, split, name)) for split in splits]
            rows.append([text_cell(name), *map(number_cell, last)])
    metrics = table(columns, rows, sortable=False)
    tasks = f"<p>tasks: {escape(', '.join(head.tasks))}</p>"
    return f"<details><summary>all metrics, last epoch</summary>{tasks}{metrics}</details>"
