"""What a description lacks, and why."""

from typing import List, Mapping, Optional

from multitask_model.commands.description.data import Description
from multitask_model.commands.description.loading import Experiment
from multitask_model.commands.description.reading import Sample
from multitask_model.errors import format_names
from multitask_model.model import MultiTaskModel
from multitask_model.routing.output_names import BACKBONE


def make_notes(
    found: Description,
    experiment: Experiment,
    samples: Mapping[str, Sample],
    model: Optional[object],
) -> List[str]:
    """Returns what could not be described, and what may surprise without being an error."""
    notes = _about_data(found, experiment, samples)
    if model is None:
        notes.append("The model cannot be built, so no instances were passed through it.")
    elif experiment.kind == "config" and any(s.size != len(s.instances) for s in samples.values()):
        notes.append(
            "The vocabulary is that of the instances that were read. A training may have more "
            "words and labels, and so more parameters."
        )
    if isinstance(model, MultiTaskModel):
        unused = [head for head in model.heads if not model.tasks.tasks_of(head)]
        if unused:
            notes.append(
                f"The heads {format_names(unused)} serve no task and will not be trained. Add them "
                "to task_heads."
            )
        without = [t.name for t in found.tasks if t.reader is None and not t.read]
        if without:
            notes.append(f"The tasks {format_names(without)} of the model have no reader.")
    return notes + _about_losses(found)


def _about_data(
    found: Description, experiment: Experiment, samples: Mapping[str, Sample]
) -> List[str]:
    notes = [
        f"The instances of {task!r} could not be read. {sample.error}"
        for task, sample in samples.items()
        if sample.error is not None
    ]
    if not samples:
        notes.append("The config has no train_data_path, so no instances were read.")
    if not any(task.read for task in found.tasks):
        notes.append("Without instances, shapes and outputs are not known.")
    if experiment.unread_namespaces:
        notes.append(
            f"Without labels in {format_names(experiment.unread_namespaces)}, the sizes of the "
            "heads that predict them are not known."
        )
    uncounted = [t for t, s in samples.items() if s.size is None and s.error is None]
    if uncounted:
        notes.append(
            f"The datasets {format_names(uncounted)} were not counted in the time for it. Give "
            "them more: --seconds 60."
        )
    return notes


def _about_losses(found: Description) -> List[str]:
    """Heads without a loss, as far as no error says so."""
    wrong = {error.component for error in found.errors}
    read = [task.name for task in found.tasks if task.read]
    return [
        f"The head {component.name!r} has no loss for the instances of {task!r} that were read."
        for component in found.components
        if component.name not in (BACKBONE, *wrong) and component.outputs
        for task in component.tasks
        if task in read and task not in component.loss_for
    ]
