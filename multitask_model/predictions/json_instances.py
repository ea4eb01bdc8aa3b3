"""Making instances from JSON with a task, or with the heads that predict it."""

import copy
from typing import Callable, Dict, List, Optional, Sequence

from allennlp.common import JsonDict
from allennlp.data import DatasetReader, Instance
from allennlp.data.dataset_readers import MultiTaskDatasetReader
from allennlp.data.fields import MetadataField
from allennlp.predictors.predictor import Predictor

from multitask_model.compat.allennlp_internals import json_to_instance
from multitask_model.errors import format_names, format_value, suggest
from multitask_model.json_inputs import JsonInputs, explain_errors
from multitask_model.model import MultiTaskModel
from multitask_model.predictions.shared_inputs import choose_tasks, merge_instances
from multitask_model.routing.output_names import BACKBONE

EXAMPLE = '{"task": "NAME", ...}'


class JsonInstances:
    """
    Makes the instances of all tasks that have heads and a reader.

        >>> from allennlp.data import Vocabulary
        >>> from allennlp.models.heads import Head
        >>> from allennlp.modules import Backbone
        >>> from multitask_model import LabeledJsonlReader, MultiTaskDatasetReader
        >>> class Encoder(Backbone):
        ...     def forward(self, text): ...
        >>> class Length(Head):
        ...     def forward(self): ...
        >>> model = MultiTaskModel(Vocabulary(), Encoder(), {"length": Length(Vocabulary())})
        >>> reader = MultiTaskDatasetReader({"length": LabeledJsonlReader({})})
        >>> instances = JsonInstances(model, reader)
        >>> instance = instances.to_instance({"heads": ["length"], "text": "So good"})
        >>> instance["text"].tokens, instance["task"].metadata, instance["heads"].metadata
        ([So, good], 'length', ['length'])

    # Parameters

    model : `MultiTaskModel`
    dataset_reader : `MultiTaskDatasetReader`
    """

    def __init__(self, model: MultiTaskModel, dataset_reader: MultiTaskDatasetReader) -> None:
        self._model = model
        self._readers: Dict[str, DatasetReader] = {
            task: reader.inner for task, reader in dataset_reader.readers.items()
        }
        self._json_inputs = {task: JsonInputs(task, r) for task, r in self._readers.items()}
        self.tasks = [task for task in self._readers if task in model.tasks.names]
        """The tasks that can be predicted."""
        self.predictors: Dict[str, Optional[Predictor]] = {}
        """For each task the predictor that one of its heads names, or `None`."""
        for task in self.tasks:
            self.predictors[task] = self._make_predictor(task)

    def _make_predictor(self, task: str) -> Optional[Predictor]:
        head = self.predicting_head(self._model.tasks.heads_of(task))
        if head is None:
            return None
        name = self._model.head(head).default_predictor
        assert name is not None
        make: Callable[..., Predictor] = Predictor.by_name(name)
        return make(self._model, self._readers[task])

    def predicting_head(self, heads: Sequence[str]) -> Optional[str]:
        """Returns the first of the heads that names a predictor."""
        named = (head for head in heads if self._model.head(head).default_predictor is not None)
        return next(named, None)

    def to_instance(self, json_dict: JsonDict) -> Instance:
        """
        # Raises

        `ValueError`
            If the JSON is not an object with a known `task` or `heads`, or no instance can be made
            of its other keys.
        """
        if not isinstance(json_dict, dict):
            raise ValueError(
                f"Each input must be a JSON object, but got {format_value(json_dict)}. Write it as "
                f"{EXAMPLE}."
            )
        names = _check_heads(json_dict.get("heads"))
        inputs = {key: json_dict[key] for key in json_dict if key not in ("task", "heads")}
        if "task" in json_dict:
            return self._of_task(self.check_task(json_dict["task"]), names, inputs)
        if names is None:
            raise ValueError(
                "Each input requires the key 'task' or 'heads', but got only "
                f"{format_names(json_dict)}. Add 'task', with one of the tasks "
                f"{format_names(self.tasks)}, or 'heads', with a list of the heads "
                f"{format_names(self._model.tasks.heads)}."
            )
        return self._of_heads(names, inputs)

    def _of_task(self, task: str, names: Optional[List[str]], inputs: JsonDict) -> Instance:
        heads = self._model.tasks.restrict(task, names)
        instance = self._make(task, inputs)
        instance.add_field("task", MetadataField(task))
        if names is not None:
            instance.add_field("heads", MetadataField(heads))
        return instance

    def _of_heads(self, names: List[str], inputs: JsonDict) -> Instance:
        heads = self._model.tasks.restrict(None, names)
        tasks = choose_tasks(self._model.tasks, heads, self.tasks)
        if len(tasks) == 1:
            return self._of_task(tasks[0], heads, inputs)
        instances = {task: self._make(task, inputs) for task in tasks}
        for task, instance in instances.items():
            self._readers[task].apply_token_indexers(instance)
        routers = [self._model.router(component) for component in (BACKBONE, *heads)]
        merged = merge_instances(instances, routers, self._model.vocab)
        merged.add_field("task", MetadataField(None))
        merged.add_field("heads", MetadataField(heads))
        return merged

    def _make(self, task: str, inputs: JsonDict) -> Instance:
        inputs, predictor = copy.deepcopy(inputs), self.predictors[task]
        if predictor is None:
            return self._json_inputs[task].to_instance(inputs)
        with explain_errors(task, predictor, inputs):
            return json_to_instance(predictor, inputs)

    def check_task(self, task: object) -> str:
        """Returns the task if it can be predicted."""
        if not isinstance(task, str) or task not in self.tasks:
            raise ValueError(
                f"The task must be one of {format_names(self.tasks)}, but got {task!r}."
                f"{suggest(task, self.tasks)} Tasks that can be predicted have heads in the model "
                "and a reader of the same name in the dataset reader."
            )
        return task

    def task_of(self, instance: Instance) -> Optional[str]:
        """Returns the task of an instance, `None` if it has heads of several tasks instead."""
        field = instance.fields.get("task")
        if not isinstance(field, MetadataField):
            raise ValueError(
                "Each instance requires a MetadataField 'task' with one of "
                f"{format_names(self.tasks)}, but got {field!r}. A multitask dataset reader adds "
                f"it."
            )
        if field.metadata is None and heads_field(instance) is not None:
            return None
        return self.check_task(field.metadata)

    def apply_token_indexers(self, instance: Instance) -> None:
        """Applies those of the reader of the task. An instance without a task has them already."""
        task = self.task_of(instance)
        if task is not None:
            self._readers[task].apply_token_indexers(instance)


def heads_field(instance: Instance) -> Optional[List[str]]:
    """Returns the names in the field `heads` of an instance."""
    field = instance.fields.get("heads")
    return field.metadata if isinstance(field, MetadataField) else None


def _check_heads(heads: object) -> Optional[List[str]]:
    is_list = isinstance(heads, list) and bool(heads) and all(isinstance(h, str) for h in heads)
    if heads is None:
        return None
    if not is_list:
        raise ValueError(
            f"The key 'heads' must have a list of one or more names of heads, but got {heads!r}. "
            'Write it as ["NAME"], or leave it out for all heads of the task.'
        )
    return heads  # type: ignore[return-value]
