"""Heads that do not fit the backbone or the vocabulary."""

from typing import Any, Dict, Optional

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.models.heads import ClassifierHead, Head
from allennlp.modules.seq2vec_encoders import BagOfEmbeddingsEncoder

from multitask_model import MultiTaskModel
from tests.helpers.messages import exactly
from tests.helpers.models import DIM, TinyBackbone, TinyHead, make_vocab


class SizedHead(TinyHead):
    """A head that says which size of `encoded_text` it needs."""

    def __init__(self, vocab: Vocabulary, input_dim: int) -> None:
        super().__init__(vocab)
        self.linear = torch.nn.Linear(input_dim, 3)
        self.input_dim = input_dim

    def get_input_dim(self) -> int:
        return self.input_dim


class SizedBackbone(TinyBackbone):
    """A backbone that says the sizes of its outputs: `low` has twice that of `encoded_text`."""

    def forward(self, text: Any) -> Dict[str, Any]:  # type: ignore[override]
        outputs = super().forward(text)
        encoded = outputs["encoded_text"]
        return {**outputs, "low": torch.cat([encoded, encoded], -1)}

    def get_output_dim(self, name: str = "encoded_text") -> int:
        return {"encoded_text": DIM, "low": 2 * DIM}[name]


def make_model(
    head: Head, backbone: Optional[TinyBackbone] = None, **parameters: Any
) -> MultiTaskModel:
    return MultiTaskModel(head.vocab, backbone or TinyBackbone(), {"a": head}, **parameters)


def test_a_head_of_another_size_than_the_backbone_is_an_error() -> None:
    message = (
        "The input_dim of the head 'a' must be the size of the backbone's output 'encoded_text', "
        "which is 6, but got 8. Set it to 6."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        make_model(SizedHead(make_vocab(), 8), SizedBackbone())


def test_the_size_is_that_of_the_mapped_output() -> None:
    low = {"arg_name_mapping": {"a": {"low": "encoded_text"}}}
    excluding = {"allowed_arguments": {"backbone": {"text"}}}
    with pytest.raises(
        ConfigurationError, match="output 'low', which is 12, but got 6. Set it to 12"
    ):
        make_model(SizedHead(make_vocab(), DIM), SizedBackbone(), **low)
    model = make_model(SizedHead(make_vocab(), 2 * DIM), SizedBackbone(), **low, **excluding)
    assert list(model.heads) == ["a"]


def test_an_added_head_of_another_size_is_an_error() -> None:
    vocab = make_vocab()
    model = make_model(SizedHead(vocab, DIM), SizedBackbone())
    with pytest.raises(ConfigurationError, match="The input_dim of the head 'b' must be"):
        model.add_head("b", SizedHead(vocab, 8))
    assert list(model.heads) == ["a"]


def classifier(vocab: Vocabulary, **parameters: Any) -> ClassifierHead:
    return ClassifierHead(vocab, BagOfEmbeddingsEncoder(DIM, averaged=True), **parameters)


def test_a_head_whose_namespace_has_no_labels_is_an_error() -> None:
    vocab = Vocabulary(tokens_to_add={"a_labels": ["no", "yes"], "b_labels": ["x"]})
    message = (
        "The label_namespace of the head 'a' must have labels in the vocabulary, but got 'labels', "
        "which has none. Set label_namespace of the head to the namespace that the dataset reader "
        "writes its labels to. The namespaces with entries are ['a_labels', 'b_labels']."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        make_model(classifier(vocab))
    make_model(classifier(vocab, label_namespace="a_labels"))
    make_model(classifier(vocab, num_labels=2))
