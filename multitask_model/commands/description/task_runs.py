"""Running a model on the first instances of a task, component by component."""

from dataclasses import dataclass, field
from typing import Collection, Dict, List, Mapping, Sequence

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance
from allennlp.data.fields import MetadataField

from multitask_model.commands.description.data import WiringError
from multitask_model.data.collate import collate
from multitask_model.model import MultiTaskModel
from multitask_model.routing.calls import available_to_heads, call_backbone, call_head
from multitask_model.routing.head_errors import raise_head_error
from multitask_model.routing.missing_losses import MissingLosses
from multitask_model.routing.output_names import BACKBONE, LOSS
from multitask_model.routing.rows import AllRows

Values = Mapping[str, object]

HEAD_ERRORS = (RuntimeError, IndexError, ConfigurationError)


@dataclass
class TaskRun:
    """What the components got and returned for the instances of one task."""

    task: str
    size: int
    """The number of these instances."""
    batch: Values = field(default_factory=dict)
    outputs: Dict[str, Values] = field(default_factory=dict)
    """The outputs of each component that ran."""
    untaken: List[str] = field(default_factory=list)
    """The fields that no component takes."""
    errors: List[WiringError] = field(default_factory=list)

    def fail(self, component: str, error: Exception) -> None:
        """Records an error. One that the model does not word itself gets its type."""
        worded = isinstance(error, (ConfigurationError, ValueError, *HEAD_ERRORS))
        message = str(error) if worded else f"{component!r} raised {type(error).__name__}: {error}"
        self.errors.append(WiringError(message, component, self.task))


def run_task(
    model: MultiTaskModel, task: str, instances: Sequence[Instance], broken: Collection[str]
) -> TaskRun:
    """
    Does for a batch of one task what `MultiTaskModel.forward` does, but continues after an error.

    # Parameters

    model : `MultiTaskModel`
    task : `str`
    instances : `Sequence[Instance]`
        Indexed instances of the task, at least one.
    broken : `Collection[str]`
        Components whose configuration is wrong. Errors that follow from that are not recorded.
    """
    run = TaskRun(task, len(instances), collate(instances))
    try:
        rows = model.tasks.rows(run.batch)
    except ValueError as error:
        run.errors.append(WiringError(str(error), None, task))
        return run
    with torch.no_grad():
        available = _run_backbone(model, run)
        if available is not run.batch:
            for head, of_head in rows.items():
                _run_head(model, run, head, available, of_head)
            _check_losses(model, run, instances)
    run.errors = [error for error in run.errors if error.component not in broken]
    return run


def _run_backbone(model: MultiTaskModel, run: TaskRun) -> Values:
    """Returns the values that heads may take, or the batch if there are none."""
    try:
        encoded, _ = call_backbone(model.backbone, model.router(BACKBONE), run.batch, run.size)
        run.outputs[BACKBONE] = encoded
        return available_to_heads(run.batch, encoded)
    except Exception as error:  # a backbone may raise anything
        run.fail(BACKBONE, error)
        return run.batch


def _run_head(
    model: MultiTaskModel, run: TaskRun, name: str, available: Values, rows: AllRows
) -> None:
    head, router = model.head(name), model.router(name)
    try:
        try:
            run.outputs[name], _ = call_head(head, router, available, rows)
        except HEAD_ERRORS as error:
            raise_head_error(name, head, router, available, rows, error)
    except Exception as error:  # a head may raise anything
        run.fail(name, error)


def _check_losses(model: MultiTaskModel, run: TaskRun, instances: Sequence[Instance]) -> None:
    """Records the heads that had no loss although their instances have unused fields."""
    components = [BACKBONE, *model.heads]
    losses = MissingLosses(model.tasks, {name: model.router(name) for name in components})
    run.untaken = sorted(losses.untaken_fields(run.batch))
    metadata = _metadata(run.untaken, instances)
    batch = {name: value for name, value in run.batch.items() if name not in metadata}
    if losses.untaken_fields(batch):
        for head in filter(run.outputs.__contains__, model.heads):
            if run.outputs[head].get(LOSS) is None and _lacks_any(model, head, run):
                reason = losses.explain_head(head, "It", batch, run.outputs[BACKBONE])
                run.errors.append(WiringError(_no_loss(head, run.task, reason), head, run.task))


def _no_loss(head: str, task: str, reason: str) -> str:
    return (
        f"A head must return a loss to be trained, but got none from {head!r} for task {task!r}. "
        f"{reason}"
    )


def _lacks_any(model: MultiTaskModel, head: str, run: TaskRun) -> bool:
    """Whether the head ran without one of its optional arguments."""
    router = model.router(head)
    names = [*run.batch, *run.outputs[BACKBONE]]
    return not router.optional_arguments <= {router.argument_of(name) for name in names}


def _metadata(names: Sequence[str], instances: Sequence[Instance]) -> List[str]:
    """The fields that are metadata, and so no labels."""
    fields = {name: value for i in instances for name, value in i.fields.items()}
    return [name for name in names if isinstance(fields.get(name), MetadataField)]
