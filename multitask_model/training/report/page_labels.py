"""The part of the page on predicted labels."""

from html import escape
from typing import Any, List, Mapping, Sequence

from multitask_model.training.report.label_counts import (
    OTHER,
    Confusion,
    SpanScores,
    confusion_matrix,
)
from multitask_model.training.report.page_run import heat
from multitask_model.training.report.records import Report
from multitask_model.training.report.tables import Cell, Column, number_cell, table, text_cell

MAX_CLASSES = 20
"""The number of labels that have a row of their own."""

MAX_MISTAKES = 3


def label_sections(report: Report) -> str:
    """Returns the confusion matrix or the scores of spans of each head that has them."""
    parts = []
    for head in report.heads:
        counts = report.labels.get(head, {})
        if counts.get("spans"):
            parts.append(_spans(head, counts["spans"]))
        elif counts.get("pairs"):
            parts.append(_confusion(head, counts["pairs"]))
    if not parts:
        return ""
    epoch = report.labels_epoch
    return f"<p>In the validation of epoch {epoch}. Open a head to see its labels.</p>" + "".join(
        parts
    )


def _spans(head: str, spans: Mapping[str, Sequence[int]]) -> str:
    scores = [SpanScores.of(label, *numbers) for label, numbers in spans.items()]
    scores.sort(key=lambda score: -score.gold)
    columns = [Column("label"), *(Column(n, "num") for n in ("F1", "precision", "recall", "gold"))]
    rows = [
        [text_cell(s.label), *map(number_cell, (s.f1, s.precision, s.recall)), _count(s.gold)]
        for s in scores
    ]
    frequent = [score for score in scores if score.gold] or scores
    worst = min(frequent, key=lambda score: score.f1)
    found = f"lowest F1: {worst.label} {worst.f1:.3f} ({worst.gold} spans)"
    return _details(head, f"{len(scores)} span labels, {found}", table(columns, rows))


def _confusion(head: str, pairs: Sequence[Sequence[Any]]) -> str:
    confusion = confusion_matrix(pairs, MAX_CLASSES)
    number = len({label for gold, predicted, _ in pairs for label in (gold, predicted)})
    mistakes = confusion.mistakes(MAX_MISTAKES)
    text = ", ".join(f"{gold} → {predicted} {times}" for gold, predicted, times in mistakes)
    labels = f"{number} labels"
    summary = f"{labels}, most frequent mistakes: {text}" if text else f"{labels}, no mistakes"
    columns = [
        Column("gold \\ predicted"),
        *(Column(str(i + 1), "heat", name) for i, name in enumerate(confusion.labels)),
        Column("recall", "num"),
    ]
    rows = [_confusion_row(confusion, i) for i in range(len(confusion.labels))]
    legend = (
        "<p>A row for each gold label, the most frequent first. A column has the number of the row "
        "with the same label. Colors are parts of the row: blue is right, orange is wrong.</p>"
    )
    return _details(head, summary, legend + table(columns, rows, "matrix", sortable=False))


def _confusion_row(confusion: Confusion, row: int) -> List[Cell]:
    counts, name = confusion.counts[row], confusion.labels[row]
    total = sum(counts)
    cells: List[Cell] = [text_cell(f"{row + 1} {name}")]
    for column, count in enumerate(counts):
        title = escape(f"{name} → {confusion.labels[column]}: {count}")
        color = "--heat" if row == column else "--cold"
        strength = 0.0 if name == OTHER else count / total if total else 0.0
        content = heat(color, strength, _compact(count), title) if count else ""
        cells.append(Cell(content))
    has_recall = total and name != OTHER
    return [*cells, number_cell(counts[row] / total if has_recall else None)]


def _compact(count: int) -> str:
    """
    Returns a number in at most four characters.

        >>> _compact(999), _compact(1234), _compact(45678)
        ('999', '1.2k', '46k')
    """
    if count < 1000:
        return str(count)
    return f"{count / 1000:.1f}k" if count < 9950 else f"{count / 1000:.0f}k"


def _count(value: int) -> Cell:
    return number_cell(value, f"{value:,}")


def _details(head: str, summary: str, content: str) -> str:
    return (
        f'<details class="labels"><summary><strong>{escape(head)}</strong> {escape(summary)}'
        f"</summary>{content}</details>"
    )
