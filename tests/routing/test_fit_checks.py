"""Heads that do not fit the backbone or the vocabulary."""

from typing import Any, Dict, Optional

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.models.heads import ClassifierHead, Head
from allennlp.modules.seq2vec_encoders import BagOfEmbeddingsEncoder, CnnEncoder

from multitask_model import MultiTaskModel, TaggerHead
from tests.helpers.messages import exactly
from tests.helpers.models import DIM, TinyBackbone, TinyHead, make_batch, make_vocab


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


def test_a_size_that_nobody_says_is_an_error_of_the_call() -> None:
    model = make_model(SizedHead(make_vocab(), 8))
    message = (
        "The layers of the head 'a' must fit the sizes of its arguments, but got 'encoded_text' of "
        "shape [2, 4, 6], 'encoded_text_mask' of shape [2, 4], 'label' of shape [2], and PyTorch "
        "raised: mat1 and mat2 shapes cannot be multiplied (2x6 and 8x3). Its input_dim is 8. Set "
        "the head's input_dim, or that of its encoder, to the output size of the backbone."
    )
    with pytest.raises(RuntimeError, match=exactly(message)) as raised:
        model(**make_batch(["a", "a"]))
    assert str(raised.value.__cause__).startswith("mat1 and mat2")


def test_shapes_are_those_of_the_rows_of_the_head() -> None:
    vocab = make_vocab()
    heads: Dict[str, Head] = {"b": TinyHead(vocab), "a": SizedHead(vocab, 8)}
    model = MultiTaskModel(vocab, TinyBackbone(), heads)
    with pytest.raises(RuntimeError, match=r"head 'a' .* 'label' of shape \[2\]"):
        model(**make_batch(["a", "b", "a"]))


def test_a_text_that_is_shorter_than_a_kernel_says_how_to_pad_it() -> None:
    model = make_model(ClassifierHead(make_vocab(), CnnEncoder(DIM, 2, ngram_filter_sizes=(1, 6))))
    message = (
        "A batch of the head 'a' must have a text of at least 6 tokens, the largest kernel of its "
        "convolutions, but got 'encoded_text' of shape [2, 4, 6], 'encoded_text_mask' of shape "
        "[2, 4], 'label' of shape [2], and PyTorch raised: Calculated padded input size per "
        "channel: (4). Kernel size: (6). Kernel size can't be greater than actual input size. Use "
        "smaller kernels (ngram_filter_sizes) or, if no head labels tokens, pad the texts: set "
        "token_min_padding_length to 6 in the token_indexers of the dataset reader."
    )
    with pytest.raises(RuntimeError, match=exactly(message)):
        model(**make_batch(["a", "a"]))


def test_other_errors_of_a_head_are_unchanged() -> None:
    class Failing(TinyHead):
        error: Exception

        def forward(self, encoded_text: Any) -> Any:  # type: ignore[override]
            raise self.error

    head = Failing(make_vocab())
    for error in (RuntimeError("other"), IndexError("pop from empty list"), NotImplementedError()):
        head.error = error
        with pytest.raises(type(error)) as raised:
            make_model(head)(**make_batch(["a"]))
        assert raised.value is error


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


def test_a_label_out_of_range_names_the_namespace() -> None:
    vocab = Vocabulary(tokens_to_add={"a_labels": ["no", "yes"], "labels": ["x"]})
    message = (
        "The labels of the head 'a' must be those of its namespace 'labels', which are ['x'], but "
        "PyTorch raised: Target 1 is out of bounds. Set label_namespace of the head to the "
        "namespace that the dataset reader writes its labels to. The namespaces with entries are "
        "['a_labels', 'labels']."
    )
    batch = {**make_batch(["a", "a"]), "label": torch.tensor([0, 1])}
    with pytest.raises(IndexError, match=exactly(message)) as raised:
        make_model(classifier(vocab))(**batch)
    assert str(raised.value.__cause__) == "Target 1 is out of bounds."


def test_a_tag_out_of_range_names_the_namespace() -> None:
    vocab = Vocabulary(tokens_to_add={"labels": ["x", "y"]})
    batch = make_batch(["a", "a"])
    batch["tags"] = torch.full((2, 4), 3)
    message = (
        "In the head 'a': A TaggerHead needs tags to be indices from 0 to 1, which are labels of "
        "its "
        "label_namespace 'labels', ['x', 'y'], but got 3. Set label_namespace to the namespace "
        "that "
        "the dataset reader writes the labels to. Known namespaces: ['labels']."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        make_model(TaggerHead(vocab, DIM))(**batch)
