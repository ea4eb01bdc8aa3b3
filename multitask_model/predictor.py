"""`MultiTaskPredictor`: JSON with a task in it, in; that task's prediction, out."""

import copy
import inspect
import logging
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

import numpy
from allennlp.common import JsonDict
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import sanitize
from allennlp.data import DatasetReader, Instance
from allennlp.data.dataset_readers import MultiTaskDatasetReader
from allennlp.data.fields import MetadataField, TextField
from allennlp.predictors.predictor import Predictor
from overrides import overrides

from multitask_model.errors import format_names, suggest
from multitask_model.model import MultiTaskModel
from multitask_model.routing.arguments import VARIADIC
from multitask_model.routing.outputs import BACKBONE, LOSS

logger = logging.getLogger(__name__)


@Predictor.register("multitask", exist_ok=True)
class MultiTaskPredictor(Predictor):
    """
    Predicts any mix of the tasks of a `MultiTaskModel` from JSON such as
    `{"task": "polarity", "text": "..."}`.

    All heads of the task predict, in one pass; a list of names under the key `heads` narrows them.
    The rest of the JSON is for the task. If one of its heads has a `default_predictor`, that makes
    the instance of it. Otherwise the task's reader does: the keys are the parameters of its
    `text_to_instance`.

    A prediction has the outputs of the heads and, under `tokens`, the tokens of the text that they
    are for. If the backbone takes several texts, they are under `FIELD_tokens` each.

    Registered as a `Predictor` with name "multitask".

    # Parameters

    model : `MultiTaskModel`
    dataset_reader : `MultiTaskDatasetReader`
        Tasks for which it has no reader cannot be predicted.
    keep_encodings : `bool`, optional (default = `False`)
        Whether a prediction has what the backbone returned in it (encodings, masks, tokens), padded
        to the longest input of its batch, beside the outputs of the task's heads.

    # Raises

    `ConfigurationError`
        If the model or the reader is of another class.
    """

    def __init__(
        self,
        model: MultiTaskModel,
        dataset_reader: MultiTaskDatasetReader,
        keep_encodings: bool = False,
    ) -> None:
        for given, required in ((model, MultiTaskModel), (dataset_reader, MultiTaskDatasetReader)):
            if not isinstance(given, required):
                raise ConfigurationError(
                    f"MultiTaskPredictor requires a {_full_name(required)}, but it was given a "
                    f"{_full_name(type(given))}. For another, write a Predictor of your own."
                )
        super().__init__(model, dataset_reader)
        self._model: MultiTaskModel = model
        self._keep_encodings = keep_encodings
        self._readers: Dict[str, DatasetReader] = {
            task: reader.inner for task, reader in dataset_reader.readers.items()
        }
        self._tasks = [task for task in self._readers if task in model._tasks.by_task]
        self._ignored_keys: Set[Tuple[str, str]] = set()
        self.predictors: Dict[str, Optional[Predictor]] = {}
        """For each task, the predictor that one of its heads names, if any."""
        for task in self._tasks:
            self._predictor_of(task)

    @overrides
    def predict_instance(self, instance: Instance) -> JsonDict:
        return self.predict_batch_instance([instance])[0]

    @overrides
    def predict_batch_instance(self, instances: List[Instance]) -> List[JsonDict]:
        """
        # Returns

        `List[JsonDict]`
            The prediction for each instance, in the order of `instances`, whatever their tasks.
        """
        self._apply_token_indexers(instances)
        outputs = self._model.forward_on_instances(instances)
        return sanitize(
            [
                {**_tokens_of(self._model, instance), **self._select(of_instance)}
                for instance, of_instance in zip(instances, outputs)
            ]
        )

    @overrides
    def json_to_labeled_instances(self, inputs: JsonDict) -> List[Instance]:
        instance = self._json_to_instance(inputs)
        self._apply_token_indexers([instance])
        outputs = self._model.forward_on_instance(instance)
        return self.predictions_to_labeled_instances(instance, outputs)

    @overrides
    def get_gradients(self, instances: List[Instance]) -> Tuple[Dict[str, Any], Dict[str, Any]]:
        self._apply_token_indexers(instances)
        return super().get_gradients(instances)

    @overrides
    def predictions_to_labeled_instances(
        self, instance: Instance, outputs: Dict[str, numpy.ndarray]
    ) -> List[Instance]:
        """
        Has the first of the task's heads that has a `default_predictor` label the instance with its
        outputs.

        # Raises

        `RuntimeError`
            If none of the task's heads has a `default_predictor`.
        """
        task = self._task_of(instance)
        heads = self._model._tasks.restrict(task, _heads_field(instance))
        head, predictor = self._predicting_head(heads), self._predictor_of(task)
        if head is None or predictor is None:
            classes = {name: type(self._model._head(name)).__name__ for name in heads}
            raise RuntimeError(
                f"Labelling an instance requires a predictor, but none of the heads {classes} of "
                f"task {task!r} has a default_predictor. Give the class of one of them a "
                "default_predictor that implements predictions_to_labeled_instances."
            )
        of_head = {
            name[len(head) + 1 :]: value
            for name, value in outputs.items()
            if self._model.component_of_output(name) == head
        }
        labeled = predictor.predictions_to_labeled_instances(instance, of_head)
        for new_instance in labeled:
            new_instance.add_field("task", MetadataField(task))
            # The label is that head's alone.
            new_instance.add_field("heads", MetadataField([head]))
        return labeled

    @overrides
    def _json_to_instance(self, json_dict: JsonDict) -> Instance:
        if "task" not in json_dict:
            raise ValueError(
                "Each input requires the key 'task', but found only the keys "
                f"{format_names(json_dict)}. Add it, with one of the tasks "
                f"{format_names(self._tasks)}."
            )
        task = self._check_task(json_dict["task"])
        heads = self._model._tasks.restrict(task, _check_heads(json_dict.get("heads")))
        rest = {key: json_dict[key] for key in json_dict if key not in ("task", "heads")}
        rest = copy.deepcopy(rest)
        predictor = self._predictor_of(task)
        if predictor is None:
            instance = self._text_to_instance(task, rest)
        else:
            instance = predictor._json_to_instance(rest)
        instance.add_field("task", MetadataField(task))
        if json_dict.get("heads") is not None:
            instance.add_field("heads", MetadataField(heads))
        return instance

    def _text_to_instance(self, task: str, json_dict: JsonDict) -> Instance:
        """The instance that the task's reader makes of JSON whose keys are its parameters."""
        reader = self._readers[task]
        parameters = _parameters_of(reader)
        named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        known = [p.name for p in named]
        missing = [p.name for p in named if p.default is p.empty and p.name not in json_dict]
        if missing:
            raise ValueError(
                f"Task {task!r} requires the keys {format_names(missing)} (text_to_instance of "
                f"{type(reader).__name__}), but found {format_names(json_dict)}."
                f"{suggest(missing[0], json_dict)} It takes the keys {format_names(known)}: add or "
                "rename them."
            )
        if any(p.kind is p.VAR_KEYWORD for p in parameters):
            return reader.text_to_instance(**json_dict)
        for key in json_dict.keys() - set(known):
            self._warn_once_of_ignored_key(task, key, known)
        return reader.text_to_instance(**{key: json_dict[key] for key in json_dict if key in known})

    def _warn_once_of_ignored_key(self, task: str, key: str, known: List[str]) -> None:
        if (task, key) not in self._ignored_keys:
            self._ignored_keys.add((task, key))
            logger.warning(
                "Task %r takes the keys %s; ignoring the key %r.", task, format_names(known), key
            )

    def _predicting_head(self, heads: Sequence[str]) -> Optional[str]:
        """The first of the heads that names a predictor."""
        named = (head for head in heads if self._model._head(head).default_predictor is not None)
        return next(named, None)

    def _predictor_of(self, task: str) -> Optional[Predictor]:
        if task not in self.predictors:
            head = self._predicting_head(self._model._tasks.by_task[task])
            name = None if head is None else self._model._head(head).default_predictor
            self.predictors[task] = (
                None if name is None else Predictor.by_name(name)(self._model, self._readers[task])
            )
        return self.predictors[task]

    def _check_task(self, task: Any) -> str:
        if task not in self._tasks:
            raise ValueError(
                f"The task must be one of {format_names(self._tasks)}, but found unknown task "
                f"{task!r}."
                f"{suggest(task, self._tasks)} Tasks that can be predicted have heads in the "
                "model and a reader of the same name in the dataset reader."
            )
        return task

    def _task_of(self, instance: Instance) -> str:
        field = instance.fields.get("task")
        if not isinstance(field, MetadataField):
            raise ValueError(
                "Each instance requires a MetadataField 'task' with one of "
                f"{format_names(self._tasks)}, but found {field!r}. A multitask dataset reader "
                f"adds it."
            )
        return self._check_task(field.metadata)

    def _apply_token_indexers(self, instances: List[Instance]) -> None:
        for instance in instances:
            self._readers[self._task_of(instance)].apply_token_indexers(instance)

    def _select(self, outputs: Dict[str, Any]) -> Dict[str, Any]:
        """What a prediction has of an instance's outputs, whatever its batch mates are."""
        selected = {}
        for name, value in outputs.items():
            owner = self._model.component_of_output(name)
            is_loss = owner is None or name == f"{owner}_{LOSS}"
            if not is_loss and (self._keep_encodings or owner != BACKBONE):
                selected[name] = value
        return selected


def _tokens_of(model: MultiTaskModel, instance: Instance) -> Dict[str, List[str]]:
    """Those of the texts that the backbone takes."""
    taken = model._routers[BACKBONE].named_arguments(instance.fields)
    texts = {name: instance.fields[name] for name in taken}
    tokens = {
        name: [str(token) for token in text.tokens]
        for name, text in texts.items()
        if isinstance(text, TextField)
    }
    if len(tokens) == 1:
        return {"tokens": next(iter(tokens.values()))}
    return {f"{name}_tokens": words for name, words in tokens.items()}


def _heads_field(instance: Instance) -> Optional[List[str]]:
    field = instance.fields.get("heads")
    return field.metadata if isinstance(field, MetadataField) else None


def _check_heads(heads: Any) -> Optional[List[str]]:
    is_list = isinstance(heads, list) and bool(heads) and all(isinstance(h, str) for h in heads)
    if heads is not None and not is_list:
        raise ValueError(
            "The key 'heads' must have a list of one or more names of heads, but it has "
            f'{heads!r}. Write it as ["NAME"], or leave it out for all heads of the task.'
        )
    return heads


def _parameters_of(reader: DatasetReader) -> List[inspect.Parameter]:
    """Those of `text_to_instance`, of the inner reader if the reader hands everything on to one."""
    parameters = list(inspect.signature(reader.text_to_instance).parameters.values())
    inner = getattr(reader, "reader", None)
    if isinstance(inner, DatasetReader) and {p.kind for p in parameters} == VARIADIC:
        return _parameters_of(inner)
    if not parameters or {p.kind for p in parameters} == {inspect.Parameter.VAR_POSITIONAL}:
        raise ValueError(
            "Prediction from JSON requires names for the parameters of text_to_instance, but that "
            f"of {_full_name(type(reader))} has none. Name them, or give the head a "
            "default_predictor."
        )
    return parameters


def _full_name(class_: type) -> str:
    return f"{class_.__module__}.{class_.__qualname__}"
