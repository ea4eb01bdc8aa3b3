"""What a prediction has: tokens, outputs of heads, and what is derived from them."""

import contextlib
import logging
from typing import Any, Dict, List, Mapping

import numpy
from allennlp.common import JsonDict
from allennlp.data import Instance
from allennlp.data.fields import MetadataField, TextField

from multitask_model.errors import format_names
from multitask_model.model import MultiTaskModel
from multitask_model.predictions.label_probabilities import by_label
from multitask_model.predictions.options import PredictorOptions
from multitask_model.predictions.output_selection import OutputSelection
from multitask_model.predictions.span_texts import SPANS, add_texts, main_text, text_of
from multitask_model.routing.output_names import BACKBONE, LOSS

logger = logging.getLogger(__name__)

PROBS, BY_LABEL = "probs", "probs_by_label"


class PredictionMaker:
    """
    Makes predictions of the outputs of a model, as `MultiTaskPredictor` describes them.

        >>> from allennlp.data import Token, Vocabulary
        >>> from allennlp.modules import Backbone
        >>> from multitask_model import TaggerHead
        >>> class Encoder(Backbone):
        ...     def forward(self, text): ...
        >>> vocab = Vocabulary(tokens_to_add={"labels": ["VERB", "PUNCT"]})
        >>> model = MultiTaskModel(vocab, Encoder(), {"upos": TaggerHead(vocab, input_dim=3)})
        >>> instance = Instance({"text": TextField([Token("Go"), Token("!")])})
        >>> outputs = {"upos_tags": ["VERB", "PUNCT"], "upos_logits": [[3.0, 1.0], [1.0, 2.0]]}
        >>> PredictionMaker(model, PredictorOptions(drop=["logits"])).make(instance, outputs)
        {'tokens': ['Go', '!'], 'upos_tags': ['VERB', 'PUNCT']}

    # Parameters

    model : `MultiTaskModel`
    options : `PredictorOptions`
    """

    def __init__(self, model: MultiTaskModel, options: PredictorOptions) -> None:
        self._model = model
        self._options = options
        self._selection = OutputSelection(options.outputs, options.drop)
        self._is_checked = not self._selection.names
        self._is_warned = False
        self._untried = set(model.tasks.heads)
        self._unseen = set(model.tasks.heads)
        self._plain_names: Dict[str, str] = {}  # of each output that a prediction had

    def make(self, instance: Instance, outputs: Mapping[str, numpy.ndarray]) -> JsonDict:
        """Makes the prediction for an instance of the model's outputs for it."""
        prediction = self._all(instance, outputs)
        names = {name: self._plain_name(name) for name in prediction}
        self._plain_names.update(names)
        self._unseen.difference_update(map(self._model.component_of_output, outputs))
        keeps = self._selection.keeps
        return {n: value for n, value in prediction.items() if keeps(n, names[n])}

    def check_names(self, instance: Instance) -> None:
        """
        Checks the names in `outputs` or `drop` after predictions. The first time, heads that did
        not predict yet are run on the instance to see what their outputs are. A head that cannot be
        run on it may have any outputs, until it predicts: a warning names what is unknown.

        # Raises

        `ConfigurationError`
            If one of the names is not that of any output.
        """
        if self._is_checked:
            return
        while self._untried and self._unknown_names():
            head = self._untried.pop()
            if head in self._unseen:
                self._try_head(head, instance)
        if not self._unseen:
            self._selection.check(self._known_names())
        unknown = self._unknown_names()
        self._is_checked = not unknown
        if unknown and not self._is_warned:
            self._is_warned = True
            logger.warning(
                "The predictor's outputs or drop has %s, which is no output so far. It may be one "
                "of the heads %s, which have not predicted yet.",
                format_names(unknown),
                format_names(sorted(self._unseen)),
            )

    def _known_names(self) -> List[str]:
        names = self._plain_names
        return sorted({*names, *names.values()})

    def _unknown_names(self) -> List[str]:
        return self._selection.unknown(self._known_names())

    def _try_head(self, head: str, instance: Instance) -> None:
        names = {"task": MetadataField(None), "heads": MetadataField([head])}
        tried = Instance({**instance.fields, **names})
        # A head of another task may require other inputs.
        with contextlib.suppress(Exception):
            self.make(tried, self._model.forward_on_instance(tried))

    def _all(self, instance: Instance, outputs: Mapping[str, numpy.ndarray]) -> JsonDict:
        arguments = self._model.router(BACKBONE).named_arguments(instance.fields)
        tokens = main_text(instance, arguments)
        selected: JsonDict = {}
        for name, value in outputs.items():
            owner = self._model.component_of_output(name)
            if owner is None or name == f"{owner}_{LOSS}":
                continue
            if owner == BACKBONE:
                selected.update({name: value} if self._options.keep_encodings else {})
                continue
            key = name[len(owner) + 1 :]
            selected[name] = add_texts(value, tokens) if key == SPANS and tokens else value
            if key == PROBS and f"{owner}_{BY_LABEL}" not in outputs:
                labels = by_label(self._model.head(owner), value, self._options.top_k)
                selected.update({f"{owner}_{BY_LABEL}": labels} if labels is not None else {})
        texts = self._texts(instance, arguments, tokens)
        return {**self._rename_taken(texts, selected), **selected}

    def _texts(self, instance: Instance, arguments: Mapping[str, str], tokens: Any) -> JsonDict:
        """The tokens of the text fields that the backbone takes."""
        fields = {name: instance.fields[name] for name in arguments}
        texts: JsonDict = {
            name: [str(token) for token in field.tokens]
            for name, field in fields.items()
            if isinstance(field, TextField)
        }
        if len(texts) != 1:
            return {f"{name}_tokens": words for name, words in texts.items()}
        texts = {"tokens": next(iter(texts.values()))}
        return {**texts, "text": text_of(tokens)} if self._options.adds_text else texts

    def _rename_taken(self, texts: JsonDict, selected: JsonDict) -> JsonDict:
        """Prefixes the names of tokens that are also outputs of heads."""
        taken = {n for n in selected if self._model.component_of_output(n) != BACKBONE}
        return {f"{BACKBONE}_{n}" if n in taken else n: value for n, value in texts.items()}

    def _plain_name(self, name: str) -> str:
        owner = self._model.component_of_output(name)
        is_of_head = owner not in (None, BACKBONE) and name.startswith(f"{owner}_")
        return name[len(str(owner)) + 1 :] if is_of_head else name
