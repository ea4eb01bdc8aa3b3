"""A description as tables for a terminal."""

from typing import Dict, Iterable, List, Optional

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from multitask_model.commands.description.data import Component, Description, Task
from multitask_model.commands.description.table_rows import argument_rows, merged_shapes


def print_tables(found: Description, console: Console) -> None:
    """Prints a description. Every note and every error is one line, however long."""
    console.print(f"[bold]{escape(found.source)}[/] ({found.kind})", soft_wrap=True)
    if found.parameters is not None:
        console.print(f"{found.parameters:,} parameters, {found.trainable:,} of them trainable")
    _print_tasks(found, console)
    read = {task.name: task.read for task in found.tasks}
    for component in found.components:
        _print_component(component, read, console)
    _print_lines("Notes", found.notes, "yellow", console)
    _print_lines("Errors", [error.message for error in found.errors], "red", console)


def _print_tasks(found: Description, console: Console) -> None:
    table = _table("task", "heads", "reader", "instances", "share", "per epoch")
    for column in table.columns[3:]:
        column.justify = "right"
    for task in found.tasks:
        share = "" if task.proportion is None else f"{task.proportion:.1%}"
        cells = [task.name, ", ".join(task.heads), task.reader or "no reader"]
        _add_row(table, [*cells, _number(task.instances), share, _number(task.per_epoch)])
    console.print()
    console.print(table)
    if found.epoch is not None:
        types = filter(None, [found.epoch.scheduler, found.epoch.sampler])
        number = "not known" if found.epoch.batches is None else f"{found.epoch.batches:,}"
        named = ", ".join(types) or f"data loader {found.epoch.loader}"
        console.print(escape(f"Batches per epoch: {number} ({named})"), soft_wrap=True)
    for task in found.tasks:
        _print_unused(task, console)


def _print_unused(task: Task, console: Console) -> None:
    if task.unused:
        names = ", ".join(task.unused)
        console.print(escape(f"Fields of {task.name} that reach no component: {names}"))


def _print_component(component: Component, read: Dict[str, int], console: Console) -> None:
    parts = [component.type, f"{component.parameters:,} parameters"]
    if component.trainable != component.parameters:
        parts.append(f"{component.trainable:,} trainable")
    if component.label_namespace is not None:
        number = "" if component.labels is None else f"{component.labels} "
        parts.append(f"{number}labels in {component.label_namespace}")
    title = f"\n[bold]{escape(component.name)}[/] {escape(', '.join(parts))}"
    console.print(title, soft_wrap=True)
    console.print(_argument_table(component, read))
    if component.outputs:
        outputs = merged_shapes([component.outputs], [component.output_rows])
        console.print(escape("returns " + outputs.replace("\n", ", ")))


def _argument_table(component: Component, read: Dict[str, int]) -> Table:
    rows = {a.name: argument_rows(component, a, read) for a in component.arguments}
    # Without a column for tasks, what a row says holds for all tasks of the component.
    has_tasks = any(row.tasks for of_argument in rows.values() for row in of_argument)
    table = _table("argument", "", "from", "shape", *(["tasks"] if has_tasks else []))
    for argument in component.arguments:
        first = [argument.name, "required" if argument.required else "optional"]
        for row in rows[argument.name]:
            last = [row.tasks or "all"] if has_tasks else []
            style = "red" if row.is_error else None
            _add_row(table, [*first, row.source, row.shape, *last], style)
            first = ["", ""]
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def _add_row(table: Table, cells: Iterable[str], style: Optional[str] = None) -> None:
    table.add_row(*map(escape, cells), style=style)


def _number(value: Optional[int]) -> str:
    return "" if value is None else f"{value:,}"


def _print_lines(title: str, lines: List[str], style: str, console: Console) -> None:
    if lines:
        console.print(f"\n[bold {style}]{title}[/]")
    for line in lines:
        # One line each, so that a log can be searched for them.
        text = " ".join(line.split())
        console.print(f"[{style}]-[/] {escape(text)}", soft_wrap=True, highlight=False)
