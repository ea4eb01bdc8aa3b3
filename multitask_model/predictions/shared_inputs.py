"""One input for heads of several tasks, whose readers must make the same inputs of it."""

from typing import Any, Dict, List, Mapping, Sequence

import torch
from allennlp.data import Instance, Vocabulary
from allennlp.data.fields import TextField
from allennlp.data.fields.field import Field

from multitask_model.data.label_fields import index_fields
from multitask_model.errors import format_names, format_value
from multitask_model.routing.arguments import Router
from multitask_model.routing.output_names import BACKBONE
from multitask_model.routing.tasks import TaskHeads


def choose_tasks(tasks: TaskHeads, heads: Sequence[str], readable: Sequence[str]) -> List[str]:
    """
    Chooses tasks that serve all heads: each time the one that serves most of the remaining heads.

        >>> tasks = TaskHeads(["upos", "ner"], {"a": ["ner"], "b": ["upos"], "c": ["upos", "ner"]})
        >>> choose_tasks(tasks, ["upos", "ner"], ["a", "b", "c"])
        ['c']

    # Parameters

    tasks : `TaskHeads`
    heads : `Sequence[str]`
    readable : `Sequence[str]`
        The tasks that have a reader.

    # Raises

    `ValueError`
        If a head serves none of the `readable` tasks.
    """
    remaining, chosen = list(heads), []
    while remaining:
        served = {task: set(tasks.heads_of(task)) & set(remaining) for task in readable}
        best = max(readable, key=lambda task: len(served[task]), default=None)
        if best is None or not served[best]:
            raise ValueError(
                "An input without a task requires heads that serve a task with a reader, but got "
                f"{remaining[0]!r}, which serves {format_names(tasks.tasks_of(remaining[0]))}. The "
                f"tasks with a reader are {format_names(readable)}. Add a reader for it, or leave "
                "it out."
            )
        chosen.append(best)
        remaining = [head for head in remaining if head not in served[best]]
    return chosen


def merge_instances(
    instances: Mapping[str, Instance], routers: Sequence[Router], vocab: Vocabulary
) -> Instance:
    """
    Merges the instances that the readers of several tasks make of the same JSON.

    # Parameters

    instances : `Mapping[str, Instance]`
        By task. Their token indexers are applied.
    routers : `Sequence[Router]`
        Those of the backbone and of the heads that take the inputs.
    vocab : `Vocabulary`

    # Raises

    `ValueError`
        If two of them have different values of an argument that one of the components takes, or
        only some of them have an argument of the backbone.
    """
    for instance in instances.values():
        index_fields(instance, vocab)
    fields: Dict[str, Field[Any]] = {}
    taken: List[str] = []
    for router in routers:
        by_argument = _by_argument(instances, router)
        for argument, by_task in by_argument.items():
            _check_agreement(router.component, argument, by_task, list(instances))
        if router.component == BACKBONE:
            taken = [name for i in instances.values() for name in i.fields if router.takes(name)]
            sources = {router.argument_of(name): name for name in reversed(taken)}
            fields.update({n: _first(instances, n) for n in sources.values()})
    for instance in instances.values():
        for name, field in instance.fields.items():
            if name not in taken:
                fields.setdefault(name, field)
    return Instance(fields)


def _first(instances: Mapping[str, Instance], name: str) -> "Field[Any]":
    return next(i.fields[name] for i in instances.values() if name in i.fields)


def _by_argument(
    instances: Mapping[str, Instance], router: Router
) -> Dict[str, Dict[str, "Field[Any]"]]:
    """The field of each task for each argument of a component."""
    by_argument: Dict[str, Dict[str, Field[Any]]] = {}
    for task, instance in instances.items():
        for name, field in instance.fields.items():
            if router.takes(name):
                by_argument.setdefault(router.argument_of(name), {})[task] = field
    return by_argument


def _check_agreement(
    component: str, argument: str, by_task: Mapping[str, "Field[Any]"], tasks: Sequence[str]
) -> None:
    (first, field), *others = by_task.items()
    missing = [task for task in tasks if task not in by_task] if component == BACKBONE else []
    if missing:
        raise _disagreement(component, argument, f"absent for {missing[0]!r}", tasks)
    for task, other in others:
        if not _is_equal(_value(field), _value(other)):
            found = f"{_format(field)} for {first!r} and {_format(other)} for {task!r}"
            if _format(field) == _format(other):
                found += ", with different indices"
            raise _disagreement(component, argument, found, tasks)


def _disagreement(component: str, argument: str, found: str, tasks: Sequence[str]) -> ValueError:
    return ValueError(
        f"Heads of the tasks {format_names(tasks)} can predict one input only if the readers of "
        f"these tasks make the same inputs of it, but the argument {argument!r} of {component!r} "
        f"is {found}. Give the readers the same tokenizer and token_indexers, write the text as a "
        "list of tokens, or predict each task on a line of its own."
    )


def _format(field: "Field[Any]") -> str:
    tokens = [str(t) for t in field.tokens] if isinstance(field, TextField) else None
    return format_value(field) if tokens is None else format_names(tokens)


def _value(field: "Field[Any]") -> object:
    return field.as_tensor(field.get_padding_lengths())


def _is_equal(left: object, right: object) -> bool:
    if isinstance(left, torch.Tensor) and isinstance(right, torch.Tensor):
        return torch.equal(left, right)
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_is_equal(left[k], right[k]) for k in left)
    return bool(left == right)
