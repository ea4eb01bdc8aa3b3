"""Collecting the description of a model and its data."""

from typing import List, Mapping, Optional

from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance, Vocabulary

from multitask_model.commands.description.components import count_parameters, describe_components
from multitask_model.commands.description.data import Description, WiringError
from multitask_model.commands.description.epochs import EpochPlan
from multitask_model.commands.description.loading import Experiment, load_experiment
from multitask_model.commands.description.mixed_batches import find_mixed_batch_error
from multitask_model.commands.description.notes import make_notes
from multitask_model.commands.description.reading import Sample, read_samples
from multitask_model.commands.description.sources import find_unknown_sources
from multitask_model.commands.description.task_runs import TaskRun, run_task
from multitask_model.commands.description.tasks import describe_tasks, group_by_task
from multitask_model.data.data_loaders.reading import index_instance
from multitask_model.data.data_loaders.task_options import check_data_path
from multitask_model.model import MultiTaskModel
from multitask_model.training.label_checks import find_label_errors


def describe(path: str, overrides: str = "", number: int = 20, seconds: float = 5.0) -> Description:
    """
    Describes what goes where in a model, without training it.

    # Parameters

    path : `str`
        A config, an archive or a serialization directory.
    overrides : `str`, optional (default = `""`)
        A JSON object that overrides values of the config.
    number : `int`, optional (default = `20`)
        The number of instances to read of each task.
    seconds : `float`, optional (default = `5.0`)
        How long to count the instances of the datasets.

    # Returns

    `Description`
    """
    experiment = load_experiment(path, overrides)
    samples = read_samples(experiment.readers, experiment.data_paths, number, seconds)
    model, errors = experiment.build(samples)
    found = Description(path, experiment.kind, errors=list(errors))
    plan = _make_plan(experiment, found)
    runs: List[TaskRun] = []
    if model is not None:
        runs = _run_tasks(model, experiment, samples, found)
        _run_mixed_batches(model, plan, samples, found)
        found.errors += find_unknown_sources(model, runs)
        found.parameters, found.trainable = count_parameters(model)
        found.components = describe_components(model, runs, experiment.unread_namespaces)
    found.tasks = describe_tasks(experiment, samples, model, runs)
    if plan is not None and samples:
        _add_epoch(found, plan, samples)
    found.notes = make_notes(found, experiment, samples, model)
    return found


def _make_plan(experiment: Experiment, found: Description) -> Optional[EpochPlan]:
    paths, readers = experiment.data_paths, experiment.readers
    try:
        if paths and "" not in readers:
            check_data_path(paths, readers)
        return EpochPlan(experiment.loader, list(paths), list(readers))
    except ConfigurationError as error:
        found.errors.append(WiringError(str(error)))
        return None


def _run_tasks(
    model: MultiTaskModel,
    experiment: Experiment,
    samples: Mapping[str, Sample],
    found: Description,
) -> List[TaskRun]:
    """Runs the model on the instances of each task, and checks the tasks without any."""
    model.eval()
    broken = {error.component for error in found.errors if error.component is not None}
    by_task = group_by_task(samples)
    runs = []
    for task in dict.fromkeys([*filter(None, experiment.readers), *by_task]):
        instances = by_task.get(task, [])
        error = _index(task, experiment.data_paths.get(task), instances, model.vocab)
        if error is None and instances:
            runs.append(run_task(model, task, instances, broken))
            found.errors += runs[-1].errors
            found.errors += _label_errors(model, task, instances)
        else:
            error = error or _unknown_task(model, task)
            found.errors += [] if error is None else [WiringError(error, task=task)]
    return runs


def _run_mixed_batches(
    model: MultiTaskModel,
    plan: Optional[EpochPlan],
    samples: Mapping[str, Sample],
    found: Description,
) -> None:
    # Any other error would be raised again.
    if plan is not None and plan.scheduler is not None and not found.errors:
        error = find_mixed_batch_error(model, plan.scheduler, group_by_task(samples))
        found.errors += [] if error is None else [WiringError(error)]


def _index(
    task: str, data_path: object, instances: List[Instance], vocab: Vocabulary
) -> Optional[str]:
    """Indexes instances. Returns the error for a label that the vocabulary does not have."""
    try:
        for number, instance in enumerate(instances):
            index_instance(instance, vocab, task, data_path, number)  # type: ignore[arg-type]
    except (ConfigurationError, KeyError) as error:
        return str(error)
    return None


def _label_errors(model: MultiTaskModel, task: str, instances: List[Instance]) -> List[WiringError]:
    known = task in model.tasks.names
    errors = find_label_errors(model, task, instances) if known else []
    return [WiringError(error.message, error.head, task) for error in errors if error.is_certain]


def _unknown_task(model: MultiTaskModel, task: str) -> Optional[str]:
    try:
        model.tasks.rows({"task": [task]})
    except ValueError as error:
        return str(error)
    return None


def _add_epoch(found: Description, plan: EpochPlan, samples: Mapping[str, Sample]) -> None:
    sizes = {task: sample.size for task, sample in samples.items()}
    try:
        found.epoch, proportions, counts = plan.describe(sizes)
    except ConfigurationError as error:
        found.errors.append(WiringError(str(error)))
        return
    for task in found.tasks:
        task.proportion = proportions.get(task.name)
        task.per_epoch = counts.get(task.name)
