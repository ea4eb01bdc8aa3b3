"""Inputs of `MultiTaskPredictor` that are wrong, and names of fields that heads have as well."""

from typing import Any, Dict

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance
from allennlp.data.dataset_readers import MultiTaskDatasetReader
from allennlp.data.fields import MetadataField
from allennlp.modules import Backbone

from multitask_model import MultiTaskModel, MultiTaskPredictor
from tests.helpers.messages import exactly
from tests.helpers.models import FixedHead, make_instance
from tests.test_predictor import make_predictor, make_reader


@pytest.mark.parametrize("line", [["polarity"], [["task", "polarity"]], "task", 3, None])
def test_an_input_that_is_not_an_object_is_an_error(line: Any) -> None:
    found = f"{line!r} (1 items)" if isinstance(line, list) else repr(line)
    message = (
        f'Each input must be a JSON object, but got {found}. Write it as {{"task": "NAME", ...}}.'
    )
    with pytest.raises(ValueError, match=exactly(message)):
        make_predictor().predict_json(line)
    with pytest.raises(ValueError, match=exactly(message)):
        make_predictor().predict_batch_json([{"task": "polarity", "text": "w1"}, line])


def test_a_line_that_is_not_json_is_an_error() -> None:
    message = (
        "Each line must have one JSON object, but got '{\"task\": polarity}', which cannot be "
        "parsed: Expecting value: line 1 column 10 (char 9). Write it as "
        '{"task": "NAME", ...}, all on one line.'
    )
    with pytest.raises(ValueError, match=exactly(message)):
        make_predictor().load_line('{"task": polarity}\n')


def test_a_line_is_loaded_as_json() -> None:
    assert make_predictor().load_line('{"task": "a", "n": 1}\n') == {"task": "a", "n": 1}


def test_an_error_of_the_predictor_of_a_head_names_the_task_and_the_json() -> None:
    message = (
        "Task 'source' requires JSON that TextClassifierPredictor can make an instance of, but got "
        "{'text': 'w1'}, which raised KeyError: 'sentence'. Correct the keys or their values. "
        "AllenNLP's readers take labels as strings."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        make_predictor().predict_json({"task": "source", "text": "w1"})


def test_an_instance_with_an_integer_label_is_predicted_among_others() -> None:
    predictor = make_predictor()
    labeled = predictor.json_to_labeled_instances({"task": "source", "sentence": "w2"})
    label: Any = labeled[0]["label"]
    assert isinstance(label.label, int)
    found = predictor.predict_batch_instance(labeled)[0]
    assert found["source_label"] == f"class{label.label}"
    other = make_reader().text_to_instance("w1", "class1")
    other.add_field("task", MetadataField("polarity"))
    lines = [other, *labeled]
    assert [sorted(row)[0] for row in predictor.predict_batch_instance(lines)] == [
        "polarity_label",
        "source_label",
    ]


class PairBackbone(Backbone):
    """Takes two text fields, and has an output named like the tokens of one of them."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))  # the predictor asks for its device

    def forward(self, text: Any, pair: Any) -> Dict[str, Any]:  # type: ignore[override]
        return {"pair_tokens": ["of the backbone"] * len(pair["tokens"]["tokens"])}


class PairReader(DatasetReader):
    def text_to_instance(self, text: str, pair: str) -> Instance:
        fields = make_instance(text).fields
        return Instance({**fields, "pair": make_instance(pair)["text"]})


def pair_prediction(head: str, **kwargs: Any) -> Dict[str, Any]:
    fixed = FixedHead(tokens=["of the head"])
    model = MultiTaskModel(fixed.vocab, PairBackbone(), {head: fixed})
    predictor = MultiTaskPredictor(model, MultiTaskDatasetReader({head: PairReader()}), **kwargs)
    found = predictor.predict_json({"task": head, "text": "a b", "pair": "c"})
    found.pop(f"{head}_readable", None)
    return found


def test_tokens_of_several_text_fields_have_the_names_of_the_fields() -> None:
    assert pair_prediction("length") == {
        "text_tokens": ["a", "b"],
        "pair_tokens": ["c"],
        "length_tokens": "of the head",
    }


def test_an_output_of_a_head_called_like_a_field_does_not_replace_the_tokens() -> None:
    assert pair_prediction("text") == {
        "backbone_text_tokens": ["a", "b"],
        "pair_tokens": ["c"],
        "text_tokens": "of the head",
    }


def test_an_output_of_the_backbone_replaces_the_tokens_of_that_name() -> None:
    found = pair_prediction("length", keep_encodings=True)
    assert found["pair_tokens"] == "of the backbone"


def test_a_gold_label_that_the_vocabulary_does_not_have_is_an_error() -> None:
    predictor = make_predictor()
    message = (
        "Every label must be in the vocabulary, but got 'class9' in the field 'label'. The "
        "namespace 'labels' has ['class0', 'class1', 'class2']. Did you mean 'class2'? Correct the "
        "label, or leave it out: it is not needed for a prediction."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        predictor.predict_json({"task": "polarity", "text": "w1", "label": "class9"})
