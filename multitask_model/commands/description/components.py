"""The components of a model: their arguments and where each comes from."""

import inspect
from typing import Collection, Dict, List, Mapping, Sequence, Tuple

import torch

from multitask_model.commands.description.data import Argument, Component, Source
from multitask_model.commands.description.shapes import shapes_of
from multitask_model.commands.description.task_runs import TaskRun
from multitask_model.model import MultiTaskModel
from multitask_model.routing.arguments import Router
from multitask_model.routing.fit_checks import find_namespace, labels_in
from multitask_model.routing.output_names import BACKBONE, LOSS
from multitask_model.routing.partial import Partial
from multitask_model.routing.signatures import VARIADIC, forward_parameters, unwrap


def describe_components(
    model: MultiTaskModel, runs: Sequence[TaskRun], unread_namespaces: Collection[str] = ()
) -> List[Component]:
    """
    # Parameters

    model : `MultiTaskModel`
    runs : `Sequence[TaskRun]`
        What the components got and returned; none if no instances could be read.
    unread_namespaces : `Collection[str]`, optional (default = `()`)
        The namespaces whose labels are not known.
    """
    modules: Dict[str, torch.nn.Module] = {BACKBONE: model.backbone, **model.heads}
    components = []
    for name, module in modules.items():
        component = _describe(model, name, unwrap(module), runs)
        _add_labels(component, model, unwrap(module), unread_namespaces)
        components.append(component)
    return components


def count_parameters(module: torch.nn.Module) -> Tuple[int, int]:
    """Returns the number of parameters, and of those that are trained."""
    # The parameters of a lazy module have no size before its first call.
    lazy = torch.nn.parameter.is_lazy
    parameters = [parameter for parameter in module.parameters() if not lazy(parameter)]
    trainable = sum(p.numel() for p in parameters if p.requires_grad)
    return sum(p.numel() for p in parameters), trainable


def _describe(
    model: MultiTaskModel, name: str, module: torch.nn.Module, runs: Sequence[TaskRun]
) -> Component:
    parameters, trainable = count_parameters(module)
    tasks = model.tasks.names if name == BACKBONE else model.tasks.tasks_of(name)
    runs = [run for run in runs if run.task in tasks]
    ran = [run for run in runs if name in run.outputs]
    longest = max(ran, key=lambda run: len(run.outputs[name]), default=None)
    return Component(
        name,
        type(module).__name__,
        tasks,
        parameters,
        trainable,
        _arguments(name, module, model.router(name), runs),
        outputs={} if longest is None else shapes_of(longest.outputs[name]),
        output_rows=0 if longest is None else longest.size,
        loss_for=[r.task for r in runs if r.outputs.get(name, {}).get(LOSS) is not None],
    )


def _add_labels(
    component: Component, model: MultiTaskModel, module: torch.nn.Module, unread: Collection[str]
) -> None:
    namespace = None if component.name == BACKBONE else find_namespace(module)
    if namespace is not None:
        component.label_namespace = namespace
        is_known = namespace not in unread
        component.labels = len(labels_in(model.vocab, namespace)) if is_known else None


def _arguments(
    component: str, module: torch.nn.Module, router: Router, runs: Sequence[TaskRun]
) -> List[Argument]:
    named = [p for p in forward_parameters(module) if p.kind not in VARIADIC]
    arguments = {
        p.name: Argument(
            p.name,
            required=p.default is inspect.Parameter.empty,
            allowed=p.name in router.allowed_arguments,
            accepts=_names_for(router, p.name),
        )
        for p in named
    }
    for run in runs:
        for source in _sources(component, router, run):
            name = router.argument_of(source.name)
            # `**kwargs` takes names that are not among the named arguments.
            argument = arguments.setdefault(name, Argument(name, required=False, accepts=[name]))
            argument.sources.append(source)
    for argument in arguments.values():
        given = {source.task for source in argument.sources}
        # Without outputs of the backbone, what a head lacks is not known.
        ran = [run.task for run in runs if component == BACKBONE or BACKBONE in run.outputs]
        argument.absent = [task for task in ran if task not in given]
    return list(arguments.values())


def _names_for(router: Router, argument: str) -> List[str]:
    """The names that are passed to an argument: those that are mapped to it, and its own."""
    mapped = [name for name, target in router.name_mapping.items() if target == argument]
    return mapped if argument in router.name_mapping else [*dict.fromkeys([*mapped, argument])]


def _sources(component: str, router: Router, run: TaskRun) -> List[Source]:
    """Where the arguments of a component come from, for one task."""
    outputs: Mapping[str, object] = {}
    if component != BACKBONE:
        # A field that the backbone passes on is an output too.
        encoded = run.outputs.get(BACKBONE, {})
        outputs = {name: value for name, value in encoded.items() if name not in run.batch}
    sources = []
    for name, value in {**run.batch, **outputs}.items():
        if router.takes(name):
            origin = "backbone output" if name in outputs else "field"
            renamed = router.argument_of(name) != name
            number = len(value.rows) if isinstance(value, Partial) else run.size
            shapes = shapes_of(value.value if isinstance(value, Partial) else value)
            sources.append(Source(run.task, name, origin, renamed, number, shapes))
    return sources
