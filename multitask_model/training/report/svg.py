"""Small charts as inline SVG. Their colors are classes of `page.css`."""

import math
from html import escape
from typing import List, NamedTuple, Optional, Sequence, Tuple

from multitask_model.training.report.console_table import number
from multitask_model.training.report.summary import Point

WIDTH, HEIGHT = 320, 120
LEFT, RIGHT, TOP, BOTTOM = 44, 62, 8, 18
"""The margins: of the numbers, of the labels of lines, and of the epochs."""

LABEL_DISTANCE = 12.0


class Line(NamedTuple):
    """
    A line of a chart. `style` is a class of `page.css`, which sets its color and its dashes.

        >>> Line("training", [(0, 2.0), (1, 1.5)], "training").label
        'training'
    """

    label: str
    points: Sequence[Point]
    style: str


class _Scale(NamedTuple):
    """Maps epochs and values to positions."""

    first: int
    last: int
    low: float
    high: float

    def x(self, epoch: int) -> float:
        part = (epoch - self.first) / (self.last - self.first) if self.last > self.first else 0.5
        return LEFT + part * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)


def line_chart(
    lines: Sequence[Line], title: str, chosen: Optional[int] = None, best: Optional[Point] = None
) -> str:
    """
    Returns a chart over the epochs, with a label at the end of each line.

    # Parameters

    lines : `Sequence[Line]`
        Those without points are left out.
    title : `str`
        For screen readers.
    chosen : `int`, optional (default = `None`)
        An epoch that gets a vertical line.
    best : `Point`, optional (default = `None`)
        A point that gets a circle.
    """
    lines = [line for line in lines if line.points]
    if not lines:
        return ""
    scale = _scale([point for line in lines for point in line.points])
    parts = _axes(scale)
    if chosen is not None and scale.first <= chosen <= scale.last:
        x = scale.x(chosen)
        parts.append(
            f'<line class="chosen" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        )
    for line in lines:
        parts.append(_path([(scale.x(e), scale.y(v)) for e, v in line.points], line.style))
    if best is not None:
        x, y = scale.x(best[0]), scale.y(best[1])
        parts.append(f'<circle class="best" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>')
    parts += _labels(lines, scale)
    return _svg(WIDTH, HEIGHT, title, parts, "chart")


def sparkline(points: Sequence[Point], title: str) -> str:
    """Returns a line without axes, for a cell of a table."""
    if not points:
        return ""
    width, height, margin = 120, 26, 3
    first, last, low, high = _scale(points)
    span = max(1, last - first)
    positions = [
        (
            margin + (epoch - first) / span * (width - 2 * margin),
            height - margin - (value - low) / (high - low) * (height - 2 * margin),
        )
        for epoch, value in points
    ]
    return _svg(width, height, title, [_path(positions, "spark")], "spark")


def _scale(points: Sequence[Point]) -> _Scale:
    epochs, values = [epoch for epoch, _ in points], [value for _, value in points]
    low, high = min(values), max(values)
    # A constant is drawn in the middle.
    margin = (high - low) * 0.05 or abs(high) * 0.1 or 1.0
    return _Scale(min(epochs), max(epochs), low - margin, high + margin)


def ticks(low: float, high: float, most: int = 5) -> List[float]:
    """
    Returns round numbers between `low` and `high`.

        >>> ticks(0.13, 0.92), ticks(1.0, 9.0)
        ([0.2, 0.4, 0.6, 0.8], [2.0, 4.0, 6.0, 8.0])
    """
    raw = (high - low) / most
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= raw * 0.999)
    first = math.ceil(low / step)
    return [round(i * step, 12) for i in range(first, math.floor(high / step) + 1)]


def _axes(scale: _Scale) -> List[str]:
    parts = []
    for value in ticks(scale.low, scale.high):
        y = scale.y(value)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        text = f"{value:.6g}"
        parts.append(
            f'<text class="tick" x="{LEFT - 5}" y="{y + 3.5:.1f}" text-anchor="end">{text}</text>'
        )
    for epoch in sorted({scale.first, scale.last}):
        parts.append(
            f'<text class="tick" x="{scale.x(epoch):.1f}" y="{HEIGHT - 4}" '
            f'text-anchor="middle">{epoch}</text>'
        )
    return parts


def _path(positions: Sequence[Tuple[float, float]], style: str) -> str:
    text = " ".join(f"{x:.1f},{y:.1f}" for x, y in positions)
    x, y = positions[-1]
    line = f'<polyline class="{style}" points="{text}"/>' if len(positions) > 1 else ""
    return f'{line}<circle class="{style} end" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>'


def _labels(lines: Sequence[Line], scale: _Scale) -> List[str]:
    """The labels at the ends of the lines, moved apart where they would overlap."""
    ends = sorted((scale.y(line.points[-1][1]), i) for i, line in enumerate(lines))
    parts, previous = [], -math.inf
    highest = HEIGHT - BOTTOM - LABEL_DISTANCE * (len(lines) - 1)
    for y, i in ends:
        y = max(min(y, highest), previous + LABEL_DISTANCE)
        previous, highest = y, highest + LABEL_DISTANCE
        x = WIDTH - RIGHT + 6
        parts.append(
            f'<text class="label {lines[i].style}" x="{x}" y="{y + 3.5:.1f}">'
            f"{escape(lines[i].label)}</text>"
        )
    return parts


def _svg(width: int, height: int, title: str, parts: Sequence[str], style: str) -> str:
    return (
        f'<svg class="{style}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def describe_points(points: Sequence[Point]) -> str:
    """
    Returns the first and the last value, for screen readers.

        >>> describe_points([(0, 2.0), (3, 1.0)])
        '2.000 in epoch 0, 1.000 in epoch 3'
    """
    ends = [points[0], *points[1:][-1:]] if points else []
    return ", ".join(f"{number(value)} in epoch {epoch}" for epoch, value in ends)
