"""The picture of a report, by matplotlib."""

import importlib.util
import math
from pathlib import Path
from typing import Any, Optional, Sequence, Tuple

from allennlp.common.checks import ConfigurationError

from multitask_model.training.report.picture_panels import (
    BLUE,
    draw_losses,
    draw_metric,
    short_name,
)
from multitask_model.training.report.records import EpochRecord, Report
from multitask_model.training.report.summary import HeadSummary, summarize

COLUMNS = 5
"""The number of heads side by side."""


def has_matplotlib() -> bool:
    """Whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def require_matplotlib() -> None:
    """
    # Raises

    `ConfigurationError`
        If matplotlib is not installed.
    """
    if not has_matplotlib():
        raise ConfigurationError(
            "The picture of the trainer callback 'task_report' requires matplotlib, but it is not "
            "installed. Run: pip install 'multitask-model[report]', or remove the option `picture`."
        )


def draw(report: Report, path: Path) -> None:
    """
    Draws two panels for each head: its training loss (dashed) and its validation loss, and its main
    metric with the best epoch marked. A dotted line is at the epoch that the trainer chose. Below
    are the proportions of the tasks, if there are several, in the instances and in the seconds of
    the last epoch.
    """
    from matplotlib.figure import Figure

    heads = summarize(report)
    columns = min(COLUMNS, len(heads))
    rows = math.ceil(len(heads) / columns)
    heights = [3.4 * rows + 0.5]
    last = report.epochs[-1]
    has_tasks = len(last.instances) > 1
    if has_tasks:
        heights.append(0.28 * len(last.instances) + 1.0)
    figure = Figure(figsize=(3.2 * max(2, columns), sum(heights)), layout="constrained")
    parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)
    _draw_heads(parts[0][0], heads, report.chosen_epoch, (rows, columns))
    if has_tasks:
        _draw_tasks(parts[1][0], last)
    figure.savefig(path, dpi=110, facecolor="white")


def _draw_heads(
    figure: Any, heads: Sequence[HeadSummary], chosen: Optional[int], shape: Tuple[int, int]
) -> None:
    from matplotlib.ticker import MaxNLocator

    rows, columns = shape
    axes = figure.subplots(2 * rows, columns, squeeze=False)
    for i in range(rows * columns):
        upper, lower = (axes[2 * (i // columns) + j][i % columns] for j in (0, 1))
        if i >= len(heads):
            upper.set_axis_off()
            lower.set_axis_off()
            continue
        for panel in (upper, lower):
            panel.tick_params(labelsize=7)
            panel.xaxis.set_major_locator(MaxNLocator(5, integer=True))
            panel.yaxis.set_major_locator(MaxNLocator(4))
            panel.spines[["top", "right"]].set_visible(False)
        draw_losses(upper, heads[i])
        draw_metric(lower, heads[i], chosen)
        lower.set_xlabel("epoch", fontsize=8)
    figure.suptitle(_title(chosen), fontsize=9)


def _draw_tasks(figure: Any, last: EpochRecord) -> None:
    tasks = list(last.instances)
    names = [short_name(task) for task in tasks]
    left, right = figure.subplots(1, 2, sharey=True)
    seconds = sum(last.seconds.values()) or 1.0
    shares = {task: last.share(task) or 0.0 for task in tasks}
    times = {task: last.seconds.get(task, 0.0) / seconds for task in tasks}
    for panel, title, parts in ((left, "instances", shares), (right, "seconds", times)):
        bars = panel.barh(names, [100 * parts[task] for task in tasks], color=BLUE, height=0.6)
        panel.bar_label(bars, fmt="%.1f", fontsize=7, padding=2)
        panel.set_title(f"% of training {title}, epoch {last.epoch}", fontsize=9, loc="left")
        panel.tick_params(labelsize=7)
        panel.spines[["top", "right"]].set_visible(False)
    left.invert_yaxis()


def _title(chosen: Optional[int]) -> str:
    text = "losses: training dashed, validation solid\nmain metric: best epoch circled"
    if chosen is not None:
        text += f"; dotted: epoch {chosen}, chosen by the trainer"
    return text
