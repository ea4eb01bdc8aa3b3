"""The cells of the tables: sources of arguments, and shapes."""

from typing import Dict, List, NamedTuple, Sequence, Tuple

from multitask_model.commands.description.data import Argument, Component, Sizes, Source


class ArgumentRow(NamedTuple):
    """A row about an argument: one source of it, for the tasks that have this source."""

    source: str
    shape: str
    tasks: str
    is_error: bool = False


def argument_rows(
    component: Component, argument: Argument, read: Dict[str, int]
) -> List[ArgumentRow]:
    """
    # Parameters

    component : `Component`
    argument : `Argument`
        One of its arguments.
    read : `Dict[str, int]`
        The number of instances that were read of each task.
    """
    served = [task for task in component.tasks if read.get(task)]
    if not argument.allowed:
        return [ArgumentRow("not in allowed_arguments", "", "", argument.required)]
    groups: Dict[Tuple[str, str], List[Source]] = {}
    for source in argument.sources:
        groups.setdefault((source.origin, source.name), []).append(source)
    rows = [_source_row(sources, served, read) for sources in groups.values()]
    wanted = " or ".join(argument.accepts)
    if argument.absent:
        tasks = _tasks(argument.absent, served)
        rows.append(ArgumentRow(f"absent: no {wanted}", "", tasks, argument.required))
    return rows or [ArgumentRow(wanted, "", "")]


def _source_row(
    sources: Sequence[Source], served: Sequence[str], read: Dict[str, int]
) -> ArgumentRow:
    """A row for a source that several tasks have."""
    text = f"{sources[0].origin.split()[0]} {sources[0].name}"
    text += ", renamed" if sources[0].renamed else ""
    parts = [f"{s.instances} of {read[s.task]}" for s in sources if s.instances < read[s.task]]
    text += f" (in {', '.join(parts)})" if parts else ""
    shape = merged_shapes([s.shapes for s in sources], [s.instances for s in sources])
    return ArgumentRow(text, shape, _tasks([s.task for s in sources], served))


def _tasks(tasks: Sequence[str], served: Sequence[str]) -> str:
    return "" if list(tasks) == list(served) else ", ".join(tasks)


def merged_shapes(shapes: Sequence[Sizes], batch_sizes: Sequence[int]) -> str:
    """
    Formats the shapes of one value in several batches.

        >>> merged_shapes([{"": [20, 7, 100]}, {"": [16, 9, 100]}], [20, 16])
        '(B, *, 100)'

    # Parameters

    shapes : `Sequence[Sizes]`
        The shapes in each batch.
    batch_sizes : `Sequence[int]`
        The size of each batch, which is written as `B`.
    """
    by_path: Dict[str, List[List[str]]] = {}
    for of_batch, batch_size in zip(shapes, batch_sizes):
        for path, sizes in of_batch.items():
            first = ["B" if size == batch_size else str(size) for size in sizes[:1]]
            by_path.setdefault(path, []).append([*first, *map(str, sizes[1:])])
    lines = []
    for path, found in by_path.items():
        if len({len(sizes) for sizes in found}) > 1:
            shape = "differs"
        else:
            merged = (size[0] if len(set(size)) == 1 else "*" for size in zip(*found))
            shape = f"({', '.join(merged)})"
        lines.append(f"{path} {shape}".strip())
    return "\n".join(lines)
