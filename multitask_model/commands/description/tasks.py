"""The tasks of a reader and of a model."""

from typing import Dict, List, Mapping, Optional, Sequence

from allennlp.data import DatasetReader, Instance

from multitask_model.commands.description.data import Task
from multitask_model.commands.description.loading import Experiment
from multitask_model.commands.description.reading import Sample
from multitask_model.commands.description.task_runs import TaskRun
from multitask_model.data.dataset_readers.field_names import TASK
from multitask_model.model import MultiTaskModel


def group_by_task(samples: Mapping[str, Sample]) -> Dict[str, List[Instance]]:
    """Groups instances by their field `task` or, without one, by their reader."""
    by_task: Dict[str, List[Instance]] = {}
    for reader, sample in samples.items():
        for instance in sample.instances:
            task = task_of(instance)
            by_task.setdefault(reader if task is None else task, []).append(instance)
    return by_task


def task_of(instance: Instance) -> Optional[str]:
    """Returns the task of an instance, or `None` if it has none."""
    task: object = getattr(instance.fields.get(TASK), "metadata", None)
    return None if task is None else str(task)


def describe_tasks(
    experiment: Experiment,
    samples: Mapping[str, Sample],
    model: Optional[MultiTaskModel],
    runs: Sequence[TaskRun],
) -> List[Task]:
    """Describes the tasks of the readers, of the instances and of the model."""
    by_task = group_by_task(samples)
    of_model = [] if model is None else model.tasks.names
    tasks = []
    for name in dict.fromkeys([*filter(None, experiment.readers), *by_task, *of_model]):
        path = experiment.data_paths.get(name)
        task = Task(
            name,
            reader=_reader_name(experiment.readers.get(name)),
            data_path=None if path is None else str(path),
            heads=model.tasks.heads_of(name) if model is not None and name in of_model else [],
            read=len(by_task.get(name, [])),
            fields=_field_types(by_task.get(name, [])),
            unused=[field for run in runs if run.task == name for field in run.untaken],
        )
        task.instances = samples[name].size if name in samples else None
        tasks.append(task)
    return tasks


def _reader_name(reader: Optional[DatasetReader]) -> Optional[str]:
    """Returns the class of the reader inside those that add the field `task`."""
    while isinstance(getattr(reader, "inner", None), DatasetReader):
        reader = reader.inner  # type: ignore[union-attr]
    return None if reader is None else type(reader).__name__


def _field_types(instances: Sequence[Instance]) -> Dict[str, str]:
    fields = {name: field for i in instances for name, field in i.fields.items()}
    return {name: type(field).__name__ for name, field in fields.items() if name != TASK}
