"""`MultiTaskPredictor`: predictions for JSON of any tasks."""

import json
from typing import Any, Dict, List, Optional, Tuple

import numpy
from allennlp.common import JsonDict
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import sanitize
from allennlp.data import Instance
from allennlp.data.dataset_readers import MultiTaskDatasetReader
from allennlp.data.fields import MetadataField
from allennlp.predictors.predictor import Predictor
from overrides import overrides

from multitask_model.compat.allennlp_internals import register_in_place
from multitask_model.errors import format_value
from multitask_model.json_inputs import full_name
from multitask_model.model import MultiTaskModel
from multitask_model.predictions.conllu_writer import ConlluWriter
from multitask_model.predictions.json_instances import EXAMPLE, JsonInstances, heads_field
from multitask_model.predictions.options import CONLLU, JSONL, PredictorOptions
from multitask_model.predictions.prediction_maker import PredictionMaker


@register_in_place(Predictor, "multitask")
class MultiTaskPredictor(Predictor):
    """
    Predicts any mix of the tasks of a `MultiTaskModel` from JSON such as
    `{"task": "polarity", "text": "..."}`.

    All heads of the task predict, in one pass of the backbone. A list of names under the key
    `heads` restricts them. The other keys are for the task. If one of its heads has a
    `default_predictor`, that makes an instance of them. Otherwise they are the parameters of the
    reader's `text_to_instance`.

    Without a task, `heads` may be of any tasks: `{"text": "...", "heads": ["ner", "upos"]}`. The
    readers of their tasks must make the same inputs of the other keys.

    A prediction has the outputs of the heads, and the tokens of the encoded text under `tokens`. If
    the backbone takes several text fields, their tokens are under `FIELD_tokens`, or under
    `backbone_FIELD_tokens` if a head has an output of that name. A head that predicts spans has
    `HEAD_spans`, with the `type` of each span, its tokens from `start` up to, but not including,
    `end`, and its `text`. A classifier with `HEAD_probs` has `HEAD_probs_by_label`, in descending
    order.

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

    The options after `dataset_reader` may also be in the archive's config, under `predictor`:
    `--overrides '{"predictor": {"outputs": ["tags"]}}'`.

    # Parameters

    model : `MultiTaskModel`
    dataset_reader : `MultiTaskDatasetReader`
        Tasks without a reader cannot be predicted.
    keep_encodings : `bool`, optional (default = `False`)
        If `True`, a prediction also has the outputs of the backbone (encodings, masks, tokens),
        padded to the longest input of its batch.
    outputs : `List[str]`, optional (default = all)
        What a prediction has: names such as `upos_tags`, or `tags` for that output of all heads.
    drop : `List[str]`, optional (default = none)
        What a prediction does not have, such as `["logits"]`. Not together with `outputs`.
    top_k : `int`, optional (default = all)
        The number of labels in `HEAD_probs_by_label`.
    format : `str`, optional (default = `"jsonl"`)
        What `allennlp predict` writes: `"jsonl"`, or `"conllu"` for words with tags, trees and
        lemmas in CoNLL-U format (see `ConlluWriter`).

    # Raises

    `ConfigurationError`
        If the model or the reader is of another class, an option is invalid or, at the first
        prediction, `outputs` or `drop` has a name that no output has.
    """

    def __init__(
        self,
        model: MultiTaskModel,
        dataset_reader: MultiTaskDatasetReader,
        keep_encodings: bool = False,
        outputs: Optional[List[str]] = None,
        drop: Optional[List[str]] = None,
        top_k: Optional[int] = None,
        format: str = JSONL,
    ) -> None:
        _check_class(model, MultiTaskModel)
        _check_class(dataset_reader, MultiTaskDatasetReader)
        super().__init__(model, dataset_reader)
        self.model = model
        self.dataset_reader = dataset_reader
        options = PredictorOptions(keep_encodings, outputs, drop, top_k, format)
        options = options.over(model.predictor_config)
        options.check()
        self._maker = PredictionMaker(model, options)
        self._instances = JsonInstances(model, dataset_reader)
        self._conllu = ConlluWriter(model) if options.format == CONLLU else None

    @property
    def predictors(self) -> Dict[str, Optional[Predictor]]:
        """For each task the predictor that one of its heads names, or `None`."""
        return self._instances.predictors

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
        made = list(map(self._maker.make, instances, outputs))
        for instance in instances[:1]:
            self._maker.check_names(instance)
        predictions: List[JsonDict] = sanitize(made)
        return predictions

    @overrides
    def dump_line(self, outputs: JsonDict) -> str:
        """Formats a prediction in the `format` of the predictor, with its line breaks."""
        if self._conllu is not None:
            return self._conllu.write(outputs)
        line: str = super().dump_line(outputs)
        return line

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
                f"{error}. Write it as {EXAMPLE}, all on one line."
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
        task = self._instances.check_task(self._instances.task_of(instance))
        heads = self.model.tasks.restrict(task, heads_field(instance))
        head, predictor = self._instances.predicting_head(heads), self.predictors[task]
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
        return self._instances.to_instance(json_dict)

    def _apply_token_indexers(self, instances: List[Instance]) -> None:
        for instance in instances:
            self._instances.apply_token_indexers(instance)


def _check_class(given: object, required: type) -> None:
    if not isinstance(given, required):
        raise ConfigurationError(
            f"MultiTaskPredictor requires an instance of {full_name(required)}, but got one of "
            f"{full_name(type(given))}. Use another predictor for other classes."
        )
