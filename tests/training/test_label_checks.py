"""Heads that get labels of another namespace than their own."""

from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance, Vocabulary
from allennlp.data.fields import Field, LabelField, MetadataField, MultiLabelField, TensorField
from allennlp.models.heads import ClassifierHead, Head
from allennlp.modules.seq2vec_encoders import BagOfEmbeddingsEncoder

from multitask_model import MultiLabelClassifierHead, MultiTaskModel, RegressionHead
from multitask_model.modules.label_vocabulary import LabelVocabulary
from multitask_model.training.label_checks import find_label_errors
from tests.helpers.label_configs import TWO_NAMESPACES, two_namespaces
from tests.helpers.messages import exactly
from tests.helpers.models import DIM, TinyBackbone, TinyHead
from tests.helpers.training_config import train

LABELS = {
    "sentiments": ["neg", "pos"],
    "topics": ["sport", "music"],
    "polarities": ["pos", "neg"],
    "moods": ["neg", "pos", "mixed"],
}


def make_vocab() -> Vocabulary:
    return Vocabulary(tokens_to_add=LABELS, non_padded_namespaces=list(LABELS))


def encoder() -> BagOfEmbeddingsEncoder:
    return BagOfEmbeddingsEncoder(DIM)


def errors_of(head: Head, *fields: Dict[str, Any], **mapping: str) -> List[str]:
    """The messages for a model with one head, whose task has instances with these fields."""
    model = MultiTaskModel(
        head.vocab, TinyBackbone(), {"mood": head}, arg_name_mapping={"mood": mapping}
    )
    errors = find_label_errors(model, "mood", [Instance(of_one) for of_one in fields])
    return [f"{'error' if e.is_certain else 'warning'}: {e.message}" for e in errors]


def classifier(namespace: str = "sentiments") -> ClassifierHead:
    return ClassifierHead(make_vocab(), encoder(), label_namespace=namespace)


def test_labels_of_another_namespace_are_an_error() -> None:
    assert errors_of(classifier(), {"topic": LabelField("sport", "topics")}, topic="label") == [
        "error: The argument 'label' of the head 'mood' must have labels of its label_namespace "
        "'sentiments', ['neg', 'pos'], but got the field 'topic' of task 'mood', whose labels "
        "['sport', 'music'] are in the namespace 'topics', with other indices: the head would take "
        "them for others. Set label_namespace of the head to 'topics', let the reader write these "
        "labels to 'sentiments', or correct arg_name_mapping."
    ]


def test_the_same_labels_in_another_order_are_an_error() -> None:
    (message,) = errors_of(classifier(), {"label": LabelField("pos", "polarities")})
    assert "whose labels ['pos', 'neg'] are in the namespace 'polarities'" in message


@pytest.mark.parametrize(
    "field", [LabelField("pos", "sentiments"), LabelField(1, skip_indexing=True)]
)
def test_labels_with_the_indices_of_the_head_are_none(field: Field[Any]) -> None:
    assert errors_of(classifier("moods"), {"label": field}) == []


def test_only_the_argument_that_a_head_learns_counts() -> None:
    head = MultiLabelClassifierHead(make_vocab(), encoder(), label_namespace="topics")
    fields: Dict[str, Field[Any]] = {
        "encoded_text_mask": LabelField("neg", "sentiments"),
        "labels": MultiLabelField(["sport"], "topics"),
    }
    assert errors_of(head, fields) == []
    fields["labels"] = MultiLabelField(["neg"], "sentiments")
    (message,) = errors_of(head, fields)
    assert message.startswith("error: The argument 'labels' of the head 'mood' must have labels")


def test_all_instances_count() -> None:
    right, wrong = LabelField("pos", "sentiments"), LabelField("sport", "topics")
    assert len(errors_of(classifier(), {}, {"label": right}, {"label": wrong})) == 1


def test_fields_of_instances_that_a_head_does_not_serve_do_not_count() -> None:
    wrong = {"label": LabelField("sport", "topics"), "heads": MetadataField([])}
    assert errors_of(classifier(), {"label": LabelField("pos", "sentiments")}, wrong) == []


def test_a_class_for_a_regression_is_an_error() -> None:
    head = RegressionHead(make_vocab(), encoder())
    assert errors_of(head, {"target": LabelField("pos", "sentiments")}) == [
        "error: The argument 'target' of the head 'mood' must be a number, but got the field "
        "'target' of task 'mood', whose labels ['neg', 'pos'] are in the namespace 'sentiments': "
        'the head would learn their indices. Read it as a number, with the type "number" in the '
        "labels of the reader."
    ]
    assert errors_of(head, {"target": TensorField(torch.tensor(3.0))}) == []


class Ordinal(RegressionHead):
    """Learns the index of a class."""


def test_a_regression_of_a_class_of_its_own_may_learn_an_index() -> None:
    head = Ordinal(make_vocab(), encoder())
    assert errors_of(head, {"target": LabelField("pos", "sentiments")}) == []


def test_a_classifier_with_a_number_of_labels_needs_no_namespace() -> None:
    head = ClassifierHead(make_vocab(), encoder(), num_labels=2)
    assert errors_of(head, {"label": LabelField("pos", "sentiments")}) == []


class TwoNamespaces(ClassifierHead):
    """A head with labels as inputs, whose namespace is found first."""

    def __init__(self, vocab: Vocabulary) -> None:
        super().__init__(vocab, encoder(), label_namespace="sentiments")
        self.topics = LabelVocabulary(vocab, "topics")


def test_the_labels_may_be_in_any_namespace_of_the_head() -> None:
    assert errors_of(TwoNamespaces(make_vocab()), {"label": LabelField("pos", "sentiments")}) == []
    (message,) = errors_of(TwoNamespaces(make_vocab()), {"label": LabelField("neg", "polarities")})
    assert message.startswith("error: The argument 'label' of the head 'mood' must have labels of")


def test_a_head_may_have_no_vocabulary() -> None:
    head: Any = OwnHead(make_vocab(), "sentiments")
    vocab = head.vocab
    del head.vocab
    model = MultiTaskModel(vocab, TinyBackbone(), {"mood": head})
    instance = Instance({"label": LabelField("sport", "topics")})
    (error,) = find_label_errors(model, "mood", [instance])
    assert "must have labels of its label_namespace 'sentiments', ['neg', 'pos']" in error.message


class OwnHead(TinyHead):
    """A head with a namespace, and with a label field as input."""

    def __init__(self, vocab: Vocabulary, label_namespace: Optional[str] = None) -> None:
        super().__init__(vocab)
        self._label_namespace = label_namespace

    def forward(  # type: ignore[override]
        self, encoded_text: Any, encoded_text_mask: Any, topic: Any = None, label: Any = None
    ) -> Dict[str, Any]:
        return super().forward(encoded_text, encoded_text_mask, label)


def test_a_head_that_does_not_say_what_it_learns_is_reported_if_no_field_fits() -> None:
    head = OwnHead(make_vocab(), "sentiments")
    topic, label = LabelField("sport", "topics"), LabelField("pos", "sentiments")
    assert errors_of(head, {"topic": topic, "label": label}) == []
    (message,) = errors_of(head, {"topic": topic})
    assert message.startswith("warning: The argument 'topic' of the head 'mood' must have labels")
    assert errors_of(OwnHead(make_vocab()), {"topic": topic}) == []


@pytest.mark.slow
def test_training_with_labels_of_another_namespace_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=exactly(TWO_NAMESPACES)):
        train(two_namespaces(tmp_path), tmp_path, "run")
    assert not list((tmp_path / "run").glob("metrics_epoch_*"))
