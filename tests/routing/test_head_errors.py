"""Errors of a head's `forward`: what they say about its arguments."""

from typing import Any, Dict

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.models.heads import ClassifierHead, Head
from allennlp.modules.seq2vec_encoders import CnnEncoder

from multitask_model import MultiTaskModel, TaggerHead
from tests.helpers.messages import exactly
from tests.helpers.models import DIM, TinyBackbone, TinyHead, make_batch, make_vocab
from tests.routing.test_fit_checks import SizedHead, classifier, make_model


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


def test_a_label_that_was_added_after_the_head_was_made_is_named() -> None:
    vocab = Vocabulary(tokens_to_add={"labels": ["no"]})
    model = make_model(classifier(vocab))
    vocab.add_token_to_namespace("yes", "labels")
    message = (
        "The head 'a' must have an output for each of the labels of its namespace 'labels', which "
        "are ['no', 'yes'], but has none for 'yes', and PyTorch raised: Target 1 is out of bounds. "
        "It was made for fewer labels: by num_labels, or before the label was added to the "
        "vocabulary, as --extend-vocab does. Train it with data that have this label, or leave "
        "them out."
    )
    batch = {**make_batch(["a", "a"]), "label": torch.tensor([0, 1])}
    with pytest.raises(IndexError, match=exactly(message)):
        model(**batch)


class Failing(SizedHead):
    """A head of which an operation fails."""

    error: Exception

    def forward(  # type: ignore[override]
        self, encoded_text: torch.Tensor, encoded_text_mask: torch.Tensor
    ) -> Any:
        raise self.error


def message_of(error: Exception, **batch: torch.Tensor) -> str:
    head = Failing(make_vocab(), DIM)
    head.error = error
    with pytest.raises(type(error)) as raised:
        make_model(head)(**{**make_batch(["a", "a"]), **batch})
    return str(raised.value)


def test_other_numbers_of_tokens_are_not_blamed_on_the_input_dim() -> None:
    error = "The size of tensor a (6) must match the size of tensor b (4) at dimension 1"
    assert message_of(RuntimeError(error)) == (
        "The layers of the head 'a' must fit the sizes of its arguments, but got 'encoded_text' of "
        f"shape [2, 4, 6], 'encoded_text_mask' of shape [2, 4], and PyTorch raised: {error}. Its "
        "input_dim is 6, as it must be. Compare the other sizes: tags require one for each token."
    )


def test_a_text_without_a_vector_for_each_token_says_so() -> None:
    class Pooling(TinyBackbone):
        def forward(self, text: Any) -> Dict[str, Any]:  # type: ignore[override]
            outputs = super().forward(text)
            return {**outputs, "encoded_text": outputs["encoded_text"].sum(1)}

    vocab = Vocabulary(tokens_to_add={"labels": ["no", "yes"]})
    with pytest.raises(RuntimeError) as raised:
        make_model(classifier(vocab), Pooling())(**make_batch(["a", "a", "a"]))
    assert str(raised.value).endswith(
        " Use an embedder that returns a vector for each token, of shape (B, T, D)."
    )


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("mat1 and mat2 must have the same dtype, but got Half and Float"),
        IndexError("index 5 is out of bounds for dimension 0 with size 5"),
    ],
)
def test_errors_of_other_causes_are_unchanged(error: Exception) -> None:
    assert message_of(error) == str(error)


def test_an_error_of_another_convolution_is_unchanged() -> None:
    # As of a second convolution: the text has four tokens.
    error = "Calculated padded input size per channel: (2). Kernel size: (3). Kernel size can't be"
    assert message_of(RuntimeError(error)) == error


def test_a_label_that_the_head_did_not_get_is_not_blamed() -> None:
    error = "Target 2 is out of bounds."  # of another loss
    assert message_of(IndexError(error), label=torch.tensor([0, 1])) == error


def test_a_nested_tensor_does_not_hide_the_error() -> None:
    if not hasattr(torch, "nested"):
        pytest.skip("requires nested tensors")
    nested = torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)])
    head = Failing(make_vocab(), DIM)
    head.error = RuntimeError("size mismatch")
    with pytest.raises(RuntimeError, match="must fit the sizes of its arguments"):
        make_model(head)(**make_batch(["a", "a"]), nested=nested)
