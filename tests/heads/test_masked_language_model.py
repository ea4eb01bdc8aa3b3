"""The `masked_language_model` head: its loss, perplexity and predictions."""

import math

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from multitask_model.heads import MaskedLanguageModelHead

ENCODED = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], [[0.0, 1.0], [9.0, 9.0], [9.0, 9.0]]])
MASK = torch.tensor([[True, True, True], [True, False, False]])


@pytest.fixture
def head() -> MaskedLanguageModelHead:
    """The encoded word has the probability 3/6, and the other word, padding and OOV 1/6 each."""
    vocab = Vocabulary(tokens_to_add={"masked_tokens": ["a", "b"]})  # indices 2 and 3
    head = MaskedLanguageModelHead(vocab, 2).eval()
    weight = torch.cat([torch.zeros(2, 2), math.log(3.0) * torch.eye(2)])
    bias = torch.zeros(4)
    head.load_state_dict({"_projection._linear.weight": weight, "_projection._linear.bias": bias})
    return head


def test_only_masked_words_are_included_in_the_loss(head: MaskedLanguageModelHead) -> None:
    loss = head(ENCODED, MASK, torch.tensor([[2, 0, 3], [3, 0, 0]]))["loss"]
    first = -(math.log(3 / 6) + math.log(1 / 6)) / 2
    assert loss.item() == pytest.approx((first - math.log(3 / 6)) / 2)


def test_all_masked_words_have_the_same_weight_in_the_perplexity(
    head: MaskedLanguageModelHead,
) -> None:
    head(ENCODED, MASK, torch.tensor([[2, 0, 3], [3, 0, 0]]))
    likelihood = (3 / 6) * (1 / 6) * (3 / 6)
    assert head.get_metrics() == {"perplexity": pytest.approx(likelihood ** (-1 / 3))}


def test_oov_words_are_excluded(head: MaskedLanguageModelHead) -> None:
    loss = head(ENCODED, MASK, torch.tensor([[2, 1, 0], [1, 0, 0]]))["loss"]
    assert loss.item() == pytest.approx(-math.log(3 / 6))
    assert head.get_metrics() == {"perplexity": pytest.approx(2.0)}


def test_the_loss_of_a_batch_with_only_oov_words_is_zero(head: MaskedLanguageModelHead) -> None:
    loss = head(ENCODED, MASK, torch.tensor([[1, 0, 0], [0, 0, 0]]))["loss"]
    loss.backward()
    assert loss.item() == 0.0
    assert head.get_metrics() == {}


def test_masked_words_are_predicted_and_without_labels_all_words(
    head: MaskedLanguageModelHead,
) -> None:
    outputs = head(ENCODED, MASK, torch.tensor([[0, 2, 0], [3, 0, 0]]))
    assert head.make_output_human_readable(outputs)["tokens"] == [["b"], ["b"]]
    outputs = head(ENCODED, MASK)
    assert head.make_output_human_readable(outputs)["tokens"] == [["a", "b", "a"], ["b"]]


def test_a_namespace_without_padding_is_rejected() -> None:
    vocab = Vocabulary(tokens_to_add={"word_labels": ["a"]})
    with pytest.raises(ConfigurationError) as error:
        MaskedLanguageModelHead(vocab, 2, label_namespace="word_labels")
    assert str(error.value) == (
        "The label_namespace of a masked_language_model must have a padding entry, which marks "
        "words that are not masked, but got 'word_labels', which has none. Choose a name that does "
        "not end in 'tags' or 'labels', here and in the dataset reader."
    )
