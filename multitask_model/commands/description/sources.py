"""Names in `arg_name_mapping` that are misspelled."""

from typing import List, Sequence, Set

from multitask_model.commands.description.data import WiringError
from multitask_model.commands.description.task_runs import TaskRun
from multitask_model.errors import suggest
from multitask_model.model import MultiTaskModel
from multitask_model.routing.missing_losses import unknown_source
from multitask_model.routing.output_names import BACKBONE


def find_unknown_sources(model: MultiTaskModel, runs: Sequence[TaskRun]) -> List[WiringError]:
    """
    Returns an error for each name in `arg_name_mapping` that no instance had, if all tasks of the
    component were read and a name that they had is close to it. Instances that were not read may
    have any other name.
    """
    errors = []
    for component in (BACKBONE, *model.heads):
        is_backbone = component == BACKBONE
        tasks = model.tasks.names if is_backbone else model.tasks.tasks_of(component)
        ran = [run for run in runs if run.task in tasks and BACKBONE in run.outputs]
        if len(ran) < len(tasks):
            continue
        names: Set[str] = {name for run in ran for name in (*run.batch, *run.outputs[BACKBONE])}
        for source in sorted(model.router(component).name_mapping.keys() - names):
            if suggest(source, names):
                message = unknown_source(component, source, "instance that was read", names)
                errors.append(WiringError(message, component))
    return errors
