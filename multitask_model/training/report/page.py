"""The page of a report."""

from html import escape
from pathlib import Path
from typing import List

from multitask_model.training.report.page_heads import head_panels, head_table
from multitask_model.training.report.page_labels import label_sections
from multitask_model.training.report.page_run import (
    conflict_section,
    run_section,
    task_section,
)
from multitask_model.training.report.records import Report
from multitask_model.training.report.summary import summarize

HERE = Path(__file__).resolve().parent


def make_page(report: Report, title: str) -> str:
    """
    Returns the report as HTML that needs no other file and makes no request.

    # Parameters

    report : `Report`
    title : `str`
        The name of the run.
    """
    heads = summarize(report)
    sections = [
        _section("Heads", head_table(report, heads)),
        _section("Losses and metrics", head_panels(report, heads)),
        _section("Tasks", task_section(report)),
        _section("Course of the training", run_section(report)),
        _section("Conflicts between heads", conflict_section(report)),
        _section("Predicted labels", label_sections(report)),
        _section("Notes", _notes(report)),
    ]
    style = (HERE / "page.css").read_text(encoding="utf-8")
    script = (HERE / "page.js").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}: task report</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f"<header><h1>{escape(title)}</h1><p>{_summary_line(report)}</p></header>\n<main>\n"
        f"{''.join(sections)}</main>\n<script>\n{script}</script>\n</body>\n</html>\n"
    )


def _section(title: str, content: str) -> str:
    if not content:
        return ""
    return f"<section>\n<h2>{escape(title)}</h2>\n{content}\n</section>\n"


def _summary_line(report: Report) -> str:
    tasks = {task for tasks in report.heads.values() for task in tasks}
    seconds = sum(record.total_seconds or 0.0 for record in report.epochs)
    parts = [
        _count(len(report.epochs), "epoch"),
        _count(len(report.heads), "head"),
        _count(len(tasks), "task"),
        _duration(seconds),
    ]
    if report.chosen_epoch is not None:
        metric = escape(", ".join(report.validation_metric))
        parts.append(f"the trainer chose epoch {report.chosen_epoch} by <code>{metric}</code>")
    return ", ".join(part for part in parts if part)


def _count(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"


def _duration(seconds: float) -> str:
    """
    Returns a duration.

        >>> _duration(59.0), _duration(3700.0)
        ('59 s', '1 h 1 min')
    """
    minutes = round(seconds) // 60
    if minutes < 1:
        return f"{seconds:.0f} s" if seconds >= 1 else ""
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _notes(report: Report) -> str:
    notes: List[str] = [
        "Epochs are numbered from 0, as in <code>metrics_epoch_N.json</code>.",
        "Seconds of a task are those of its training steps, from the call of the model to the step "
        "of the optimizer. Loading data and validation are not among them.",
    ]
    if any(record.has_mixed_batches for record in report.epochs):
        notes.append(
            "Some training steps had instances of several tasks. Their seconds are split in "
            "proportion to the instances, not measured for each task."
        )
    if report.processes > 1:
        notes.append(
            f"{report.processes} processes: instances and labels are those of all of them, seconds "
            "are their mean, and the padding ratio is that of the first one."
        )
    uncounted = [str(record.epoch) for record in report.epochs if not record.instances]
    if uncounted:
        notes.append(
            f"Epochs {escape(', '.join(uncounted))} were trained without the report: their numbers "
            "of instances and seconds are not known."
        )
    if not report.has_validation:
        notes.append("There is no validation data: all metrics are those of training.")
    return "<ul>" + "".join(f"<li>{note}</li>" for note in notes) + "</ul>"
