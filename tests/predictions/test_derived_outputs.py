"""What predictions have beside the outputs of heads: spans, texts, probabilities by label."""

import json
from pathlib import Path
from typing import Any, Dict, List

import numpy
import pytest
import torch
from allennlp.data import Token, Vocabulary
from allennlp.models.heads import Head

from multitask_model import MultiLabelClassifierHead
from multitask_model.modules.span_encodings import to_spans
from multitask_model.predictions.label_probabilities import by_label
from multitask_model.predictions.span_texts import add_texts, text_of
from tests.helpers.annotators import make_predictor


def predict_tags(model: Any, head: str, tags: List[str], namespace: str) -> None:
    """Replaces the predicted tags of a head, which an untrained one would choose at random."""
    indices = [model.vocab.get_token_index(tag, namespace) for tag in tags]

    def replace(module: Any, inputs: Any, outputs: Dict[str, Any]) -> Dict[str, Any]:
        return {**outputs, "tags": torch.tensor([indices])}

    model.head(head).register_forward_hook(replace)


def test_a_span_head_returns_spans_with_their_text(tmp_path: Path) -> None:
    predictor = make_predictor(tmp_path)
    tags = ["B-per", "O", "B-loc", "I-loc", "O"]
    predict_tags(predictor.model, "ner", tags, "ner_labels")
    found = predictor.predict_json({"task": "news", "text": "Ann saw New  York!"})
    assert found["ner_tags"] == tags
    assert found["ner_spans"] == [
        {"type": "per", "start": 0, "end": 1, "text": "Ann"},
        {"type": "loc", "start": 2, "end": 4, "text": "New York"},
    ]


def test_a_head_without_an_encoding_has_no_spans(tmp_path: Path) -> None:
    found = make_predictor(tmp_path).predict_json({"task": "ewt", "text": "Ann"})
    assert [name for name in found if "spans" in name] == []


@pytest.mark.parametrize(
    ("encoding", "tags"),
    [
        ("BIO", ["B-x", "B-x", "I-x", "O", "B-y"]),
        ("IOB2", ["B-x", "B-x", "I-x", "O", "B-y"]),
        ("IOB1", ["I-x", "B-x", "I-x", "O", "I-y"]),
        ("BIOUL", ["U-x", "B-x", "L-x", "O", "U-y"]),
        ("BIOES", ["S-x", "B-x", "E-x", "O", "S-y"]),
        ("BMES", ["S-x", "B-x", "E-x", "S-o", "S-y"]),
    ],
)
def test_spans_are_in_order_in_every_encoding(encoding: str, tags: List[str]) -> None:
    spans = [(s["type"], s["start"], s["end"]) for s in to_spans(tags, encoding)]
    assert [span for span in spans if span[0] != "o"] == [("x", 0, 1), ("x", 1, 3), ("y", 4, 5)]


def test_the_text_has_spaces_where_the_tokens_say_so() -> None:
    tokens = [Token("a", idx=0), Token("-", idx=1), Token("b", idx=2), Token("c", idx=9)]
    assert text_of(tokens) == "a-b c"


def test_tokens_without_offsets_are_joined_by_spaces() -> None:
    assert text_of([Token("a"), Token("b", idx=1), Token("c")]) == "a b c"
    assert text_of([]) == ""


def test_other_outputs_called_spans_are_left_alone() -> None:
    assert add_texts([[0, 1]], [Token("a")]) == [[0, 1]]
    assert add_texts([], [Token("a")]) == []


@pytest.mark.parametrize(
    "spans", [None, 3, "ab", [{"start": 0.0, "end": 1.0}], [{"start": None, "end": 1}], [{}]]
)
def test_spans_of_another_form_are_left_alone(spans: Any) -> None:
    assert add_texts(spans, [Token("a"), Token("b")]) == spans


def test_bounds_of_spans_may_be_of_numpy() -> None:
    spans = [{"start": numpy.int64(1), "end": numpy.int64(2)}]
    assert add_texts(spans, [Token("a"), Token("b")])[0]["text"] == "b"


@pytest.mark.parametrize("probs", [None, 0.5, [[1.0], [0.5, 0.5]], ["a", "b"], [None, 1.0], {}])
def test_probabilities_of_another_form_have_no_labels(probs: Any) -> None:
    class Classifier(Head):
        label_namespace = "labels"

    head = Classifier(Vocabulary(tokens_to_add={"labels": ["x", "y"]}))
    assert by_label(head, probs) is None


def test_a_classifier_has_the_probabilities_by_label(tmp_path: Path) -> None:
    found = make_predictor(tmp_path).predict_json({"task": "news", "text": "Ann"})
    first, second = found["topic_probs_by_label"].items()
    assert {first[0], second[0]} == {"a", "b"}
    assert first[0] == found["topic_label"]
    assert [first[1], second[1]] == sorted(found["topic_probs"], reverse=True)


def test_top_k_limits_the_labels(tmp_path: Path) -> None:
    found = make_predictor(tmp_path, top_k=1).predict_json({"task": "news", "text": "Ann"})
    assert list(found["topic_probs_by_label"]) == [found["topic_label"]]
    json.dumps(found)


def test_labels_of_equal_probability_have_the_order_of_the_vocabulary() -> None:
    class Classifier(Head):
        label_namespace = "labels"

    head = Classifier(Vocabulary(tokens_to_add={"labels": ["x", "y", "z"]}))
    found = by_label(head, numpy.array([0.25, 0.5, 0.25]))
    assert list((found or {}).items()) == [("y", 0.5), ("x", 0.25), ("z", 0.25)]


def test_padding_and_oov_are_left_out_of_the_labels_of_a_multi_label_classifier() -> None:
    from allennlp.modules.seq2vec_encoders import BagOfEmbeddingsEncoder

    vocab = Vocabulary(tokens_to_add={"topics": ["film", "book"]})
    head = MultiLabelClassifierHead(vocab, BagOfEmbeddingsEncoder(2), label_namespace="topics")
    probs = head(torch.zeros(1, 1, 2), torch.tensor([[True]]))["probs"][0].detach().numpy()
    assert probs.shape == (4,)
    assert set(by_label(head, probs) or {}) == {"film", "book"}


def test_probabilities_of_another_size_have_no_labels() -> None:
    class Classifier(Head):
        label_namespace = "labels"

    head = Classifier(Vocabulary(tokens_to_add={"labels": ["x", "y"]}))
    assert by_label(head, numpy.zeros(3)) is None
    assert by_label(head, numpy.zeros((2, 2))) is None


def test_an_output_of_the_head_is_not_replaced(tmp_path: Path) -> None:
    class Classifier(Head):
        label_namespace = "topic_labels"

        def forward(self, encoded_text: torch.Tensor) -> Dict[str, Any]:
            size = len(encoded_text)
            return {"probs_by_label": ["own"] * size, "probs": torch.ones(size, 2)}

    predictor = make_predictor(tmp_path)
    predictor.model.add_head("own", Classifier(predictor.model.vocab), tasks=["news"])
    found = predictor.predict_json({"task": "news", "text": "a", "heads": ["own"]})
    assert found["own_probs_by_label"] == "own"


def test_a_head_without_a_namespace_has_no_labels() -> None:
    assert by_label(Head(Vocabulary()), numpy.zeros(2)) is None
