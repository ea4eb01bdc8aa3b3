"""A description as a graph in the DOT language of Graphviz."""

import json
from typing import Dict, Iterable, List, Tuple

from multitask_model.commands.description.data import Component, Description
from multitask_model.routing.output_names import BACKBONE

Edges = Dict[Tuple[str, str], List[str]]
"""The labels of the edge between two nodes."""


def to_dot(found: Description) -> str:
    """
    Returns the graph: from each task to the components that take its fields, from the backbone to
    the heads, and from the components with a loss to the joint loss. Components with an error are
    red.
    """
    wrong = {error.component for error in found.errors}
    lines = ["digraph wiring {", "  rankdir=LR;", "  node [shape=box];"]
    for task in found.tasks:
        label = task.name if task.reader is None else f"{task.name}\n{task.reader}"
        lines.append(f"  {_node('task', task.name)} [label={_quote(label)}, shape=folder];")
    for component in found.components:
        color = ", color=red" if component.name in wrong else ""
        lines.append(f"  {_component(component.name)} [label={_quote(_label(component))}{color}];")
    lines.append(f"  {_node('joint', 'loss')} [label=loss, shape=ellipse];")
    for (start, end), labels in _edges(found.components).items():
        label = _quote("\n".join(dict.fromkeys(labels)))
        lines.append(f"  {start} -> {end} [label={label}];")
    return "\n".join([*lines, "}"])


def _edges(components: Iterable[Component]) -> Edges:
    edges: Edges = {}
    for component in components:
        end = _component(component.name)
        for argument in component.arguments:
            for source in argument.sources:
                is_field = source.origin == "field"
                start = _node("task", source.task) if is_field else _component(BACKBONE)
                arrow = f"{source.name} as {argument.name}" if source.renamed else source.name
                edges.setdefault((start, end), []).append(arrow)
        if component.loss_for:
            edges[end, _node("joint", "loss")] = [f"{component.name}_loss"]
    return edges


def _label(component: Component) -> str:
    absent = [argument.name for argument in component.arguments if argument.absent]
    lines = [component.name, component.type, f"{component.parameters:,} parameters"]
    return "\n".join(lines + ([f"absent: {', '.join(absent)}"] if absent else []))


def _component(name: str) -> str:
    return _node("component", name)


def _node(kind: str, name: str) -> str:
    return _quote(f"{kind} {name}")


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # the escapes of DOT are those of JSON
