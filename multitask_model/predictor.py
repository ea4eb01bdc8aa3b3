"""`MultiTaskPredictor`: predictions for JSON of any tasks."""

import copy
import json
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy
from allennlp.common import JsonDict
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import sanitize
from allennlp.data import DatasetReader, Instance
from allennlp.data.dataset_readers import MultiTaskDatasetReader
from allennlp.data.fields import MetadataField, TextField
from allennlp.predictors.predictor import Predictor
from overrides import overrides

from multitask_model.compat.allennlp_internals import json_to_instance, register_in_place
from multitask_model.errors import format_names, format_value, suggest
from multitask_model.json_inputs import JsonInputs, explain_errors, full_name
from multitask_model.model import MultiTaskModel
from multitask_model.routing.output_names import BACKBONE, LOSS

_EXAMPLE = '{"task": "NAME", ...}'


@register_in_place(Predictor, "multitask")
class MultiTaskPredictor(Predictor):
    """
    Predicts any mix of the tasks of a `MultiTaskModel` from JSON such as
    `{"task": "polarity", "text": "..."}`.

    All heads of the task predict, in one pass of the backbone. A list of names under the key
    `heads` restricts them. The other keys are for the task. If one of its heads has a
    `default_predictor`, that makes an instance of them. Otherwise they are the parameters of the
    reader's `text_to_instance`.

    A prediction has the outputs of the heads, and the tokens of the encoded text under `tokens`. If
    the backbone takes several text fields, their tokens are under `FIELD_tokens`, or under
    `backbone_FIELD_tokens` if a head has an output of that name.

    Registered as a `Predictor` with name "multitask".

        >>> from allennlp.data import Vocabulary
        >>> from allennlp.models.heads import Head
        >>> from allennlp.modules.text_field_embedders import BasicTextFieldEmbedder
        >>> from allennlp.modules.token_embedders import Embedding
        >>> from multitask_model import LabeledJsonlReader, MultiTaskDatasetReader, TextBackbone
        >>> class Length(Head):
        ...     def forward(self, encoded_text_mask):
        ...         return {"tokens": encoded_text_mask.sum(-1)}
        >>> vocab, embedding = Vocabulary(), Embedding(num_embeddings=2, embedding_dim=3)
        >>> backbone = TextBackbone(vocab, BasicTextFieldEmbedder({"tokens": embedding}))
        >>> model = MultiTaskModel(vocab, backbone, {"length": Length(vocab)})
        >>> reader = MultiTaskDatasetReader({"length": LabeledJsonlReader({})})
        >>> MultiTaskPredictor(model, reader).predict_json({"task": "length", "text": ["a", "b"]})
        {'tokens': ['a', 'b'], 'length_tokens': 2}

    # Parameters

    model : `MultiTaskModel`
    dataset_reader : `MultiTaskDatasetReader`
        Tasks without a reader cannot be predicted.
    keep_encodings : `bool`, optional (default = `False`)
        If `True`, a prediction also has the outputs of the backbone (encodings, masks, tokens),
        padded to the longest input of its batch.

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
        _check_class(model, MultiTaskModel)
        _check_class(dataset_reader, MultiTaskDatasetReader)
        super().__init__(model, dataset_reader)
        self.model = model
        self._keep_encodings = keep_encodings
        self._readers: Dict[str, DatasetReader] = {
            task: reader.inner for task, reader in dataset_reader.readers.items()
        }
        self._json_inputs = {task: JsonInputs(task, r) for task, r in self._readers.items()}
        self._tasks = [task for task in self._readers if task in model.tasks.names]
        self.predictors: Dict[str, Optional[Predictor]] = {}
        """For each task the predictor that one of its heads names, or `None`."""
        for task in self._tasks:
            self.predictors[task] = self._make_predictor(task)

    def _make_predictor(self, task: str) -> Optional[Predictor]:
        head = self._predicting_head(self.model.tasks.heads_of(task))
        if head is None:
            return None
        name = self.model.head(head).default_predictor
        assert name is not None
        make: Callable[..., Predictor] = Predictor.by_name(name)
        return make(self.model, self._readers[task])

    def _predicting_head(self, heads: Sequence[str]) -> Optional[str]:
        """Returns the first of the heads that names a predictor."""
        named = (head for head in heads if self.model.head(head).default_predictor is not None)
        return next(named, None)

    @overrides
    def predict_instance(self, instance: Instance) -> JsonDict:
        return self.predict_batch_instance([instance])[0]

    @overrides
    def predict_batch_instance(self, instances: List[Instance]) -> List[JsonDict]:
        """
        # Returns

        `List[JsonDict]`
            The prediction for each instance, in the order of `instances`, whatever their tasks are.
        """
        self._apply_token_indexers(instances)
        outputs = self.model.forward_on_instances(instances)
        predictions: List[JsonDict] = sanitize(list(map(self._prediction, instances, outputs)))
        return predictions

    def _prediction(self, instance: Instance, outputs: Dict[str, numpy.ndarray]) -> JsonDict:
        selected, prediction = self._select(outputs), {}
        for name, tokens in self._tokens(instance).items():
            is_taken = name in selected and self.model.component_of_output(name) != BACKBONE
            prediction[f"{BACKBONE}_{name}" if is_taken else name] = tokens
        return {**prediction, **selected}

    @overrides
    def load_line(self, line: str) -> JsonDict:
        """
        # Raises

        `ValueError`
            If the line is not JSON.
        """
        try:
            json_dict: JsonDict = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            found = format_value(line.rstrip("\n"))
            raise ValueError(
                f"Each line must have one JSON object, but got {found}, which cannot be parsed: "
                f"{error}. Write it as {_EXAMPLE}, all on one line."
            ) from error
        return json_dict

    @overrides
    def json_to_labeled_instances(self, inputs: JsonDict) -> List[Instance]:
        instance = self._json_to_instance(inputs)
        self._apply_token_indexers([instance])
        outputs = self.model.forward_on_instance(instance)
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
        Labels the instance with the outputs of the first of its heads that has a
        `default_predictor`.

        # Raises

        `RuntimeError`
            If no head of the task has a `default_predictor`.
        """
        task = self._task_of(instance)
        heads = self.model.tasks.restrict(task, _heads_field(instance))
        head, predictor = self._predicting_head(heads), self.predictors[task]
        if head is None or predictor is None:
            classes = {name: type(self.model.head(name)).__name__ for name in heads}
            raise RuntimeError(
                f"Labeling an instance requires a predictor, but none of the heads {classes} of "
                f"task {task!r} has a default_predictor. Give the class of one of them a "
                "default_predictor that implements predictions_to_labeled_instances."
            )
        of_head = {
            name[len(head) + 1 :]: value
            for name, value in outputs.items()
            if self.model.component_of_output(name) == head
        }
        labeled = predictor.predictions_to_labeled_instances(instance, of_head)
        for new_instance in labeled:
            new_instance.add_field("task", MetadataField(task))
            # Only this head has the label.
            new_instance.add_field("heads", MetadataField([head]))
        return labeled

    @overrides
    def _json_to_instance(self, json_dict: JsonDict) -> Instance:
        if not isinstance(json_dict, dict):
            raise ValueError(
                f"Each input must be a JSON object, but got {format_value(json_dict)}. Write it as "
                f"{_EXAMPLE}."
            )
        if "task" not in json_dict:
            raise ValueError(
                f"Each input requires the key 'task', but got only {format_names(json_dict)}. Add "
                f"it, "
                f"with one of the tasks {format_names(self._tasks)}."
            )
        task = self._check_task(json_dict["task"])
        heads = self.model.tasks.restrict(task, _check_heads(json_dict.get("heads")))
        inputs = {key: json_dict[key] for key in json_dict if key not in ("task", "heads")}
        inputs = copy.deepcopy(inputs)
        predictor = self.predictors[task]
        if predictor is None:
            instance = self._json_inputs[task].to_instance(inputs)
        else:
            with explain_errors(task, predictor, inputs):
                instance = json_to_instance(predictor, inputs)
        instance.add_field("task", MetadataField(task))
        if json_dict.get("heads") is not None:
            instance.add_field("heads", MetadataField(heads))
        return instance

    def _check_task(self, task: object) -> str:
        if not isinstance(task, str) or task not in self._tasks:
            raise ValueError(
                f"The task must be one of {format_names(self._tasks)}, but got {task!r}."
                f"{suggest(task, self._tasks)} Tasks that can be predicted have heads in the model "
                "and a reader of the same name in the dataset reader."
            )
        return task

    def _task_of(self, instance: Instance) -> str:
        field = instance.fields.get("task")
        if not isinstance(field, MetadataField):
            raise ValueError(
                "Each instance requires a MetadataField 'task' with one of "
                f"{format_names(self._tasks)}, but got {field!r}. A multitask dataset reader adds "
                f"it."
            )
        return self._check_task(field.metadata)

    def _apply_token_indexers(self, instances: List[Instance]) -> None:
        for instance in instances:
            self._readers[self._task_of(instance)].apply_token_indexers(instance)

    def _select(self, outputs: Dict[str, numpy.ndarray]) -> JsonDict:
        """Selects the outputs that do not depend on the other instances of the batch."""
        selected = {}
        for name, value in outputs.items():
            owner = self.model.component_of_output(name)
            is_loss = owner is None or name == f"{owner}_{LOSS}"
            if not is_loss and (self._keep_encodings or owner != BACKBONE):
                selected[name] = value
        return selected

    def _tokens(self, instance: Instance) -> Dict[str, List[str]]:
        """Returns the tokens of the text fields that the backbone takes."""
        taken = self.model.router(BACKBONE).named_arguments(instance.fields)
        fields = {name: instance.fields[name] for name in taken}
        tokens = {
            name: [str(token) for token in field.tokens]
            for name, field in fields.items()
            if isinstance(field, TextField)
        }
        if len(tokens) == 1:
            return {"tokens": next(iter(tokens.values()))}
        return {f"{name}_tokens": words for name, words in tokens.items()}


def _heads_field(instance: Instance) -> Optional[List[str]]:
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


def _check_class(given: object, required: type) -> None:
    if not isinstance(given, required):
        raise ConfigurationError(
            f"MultiTaskPredictor requires an instance of {full_name(required)}, but got one of "
            f"{full_name(type(given))}. Use another predictor for other classes."
        )
