"""The panels of a head in the picture of a report."""

from typing import Any, Optional, Sequence

from multitask_model.training.report.console_table import number
from multitask_model.training.report.summary import HeadSummary, Point

# Of the palette of Okabe and Ito, which color-blind people can tell apart.
BLUE, VERMILION, BLACK, GRAY = "#0072B2", "#D55E00", "#000000", "#888888"

LOG_RATIO = 10.0
"""Losses whose largest is more than this times the smallest have a logarithmic axis."""

MAX_NAME = 30
"""The number of characters of a name."""


def short_name(name: str) -> str:
    """A name of limited length, in which matplotlib finds no formulas."""
    short = name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…"
    return short.replace("$", r"\$")


def draw_losses(panel: Any, head: HeadSummary) -> None:
    """Draws the training loss (dashed) and the validation loss of each epoch."""
    panel.set_title(short_name(head.name), fontsize=10, fontweight="bold", loc="left")
    panel.set_ylabel("loss", fontsize=8)
    _plot(panel, head.training_losses, color=VERMILION, linestyle="--")
    _plot(panel, head.validation_losses, color=BLUE, linestyle="-")
    losses = [value for _, value in (*head.training_losses, *head.validation_losses)]
    if losses and 0 < LOG_RATIO * min(losses) < max(losses):
        _use_log_scale(panel)


def _use_log_scale(panel: Any) -> None:
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    panel.set_ylabel("loss (log scale)", fontsize=8)
    panel.set_yscale("log")
    panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panel.yaxis.set_minor_locator(NullLocator())
    panel.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))


def draw_metric(panel: Any, head: HeadSummary, chosen: Optional[int]) -> None:
    """Draws the main metric of each epoch, a circle at the best and a dotted line at the chosen."""
    panel.set_ylabel(short_name(head.metric.label), fontsize=8)
    _plot(panel, head.values, color=BLACK, linestyle="-")
    if head.best is not None:
        epoch, value = head.best
        panel.plot([epoch], [value], "o", markerfacecolor="none", markeredgecolor=BLACK, ms=8)
        panel.set_title(f"best {number(value)} in epoch {epoch}", fontsize=8, loc="right")
    if chosen is not None:
        panel.axvline(chosen, color=GRAY, linestyle=":", linewidth=1.2)


def _plot(panel: Any, points: Sequence[Point], **style: Any) -> None:
    if points:
        epochs, values = zip(*points)
        panel.plot(epochs, values, linewidth=1.5, marker=".", markersize=4, **style)
