"""The `masked_language_model` head: its numbers."""

import math

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from multitask_model.heads import MaskedLanguageModelHead

TEXTS = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], [[0.0, 1.0], [9.0, 9.0], [9.0, 9.0]]])
MASK = torch.tensor([[True, True, True], [True, False, False]])


@pytest.fixture
def head() -> MaskedLanguageModelHead:
    """The probability of the word that is encoded is 3/6, that of the other 1/6."""
    vocab = Vocabulary(tokens_to_add={"masked_tokens": ["a", "b"]})  # these are 2 and 3
    head = MaskedLanguageModelHead(vocab, 2).eval()
    weight = torch.cat([torch.zeros(2, 2), math.log(3.0) * torch.eye(2)])
    bias = torch.zeros(4)
    head.load_state_dict({"_projection._linear.weight": weight, "_projection._linear.bias": bias})
    return head


def test_the_loss_is_of_masked_words_only(head: MaskedLanguageModelHead) -> None:
    loss = head(TEXTS, MASK, torch.tensor([[2, 0, 3], [3, 0, 0]]))["loss"]
    first = -(math.log(3 / 6) + math.log(1 / 6)) / 2
    assert loss.item() == pytest.approx((first - math.log(3 / 6)) / 2)


def test_perplexity_is_of_all_masked_words_alike(head: MaskedLanguageModelHead) -> None:
    head(TEXTS, MASK, torch.tensor([[2, 0, 3], [3, 0, 0]]))
    likelihood = (3 / 6) * (1 / 6) * (3 / 6)
    assert head.get_metrics() == {"perplexity": pytest.approx(likelihood ** (-1 / 3))}


def test_unknown_words_do_not_count(head: MaskedLanguageModelHead) -> None:
    loss = head(TEXTS, MASK, torch.tensor([[2, 1, 0], [1, 0, 0]]))["loss"]
    assert loss.item() == pytest.approx(-math.log(3 / 6))
    assert head.get_metrics() == {"perplexity": pytest.approx(2.0)}


def test_nothing_but_unknown_words(head: MaskedLanguageModelHead) -> None:
    loss = head(TEXTS, MASK, torch.tensor([[1, 0, 0], [0, 0, 0]]))["loss"]
    loss.backward()
    assert loss.item() == 0.0
    assert head.get_metrics() == {}


def test_predictions_are_of_masked_words_or_else_of_all(head: MaskedLanguageModelHead) -> None:
    outputs = head(TEXTS, MASK, torch.tensor([[0, 2, 0], [3, 0, 0]]))
    assert head.make_output_human_readable(outputs)["tokens"] == [["b"], ["b"]]
    outputs = head(TEXTS, MASK)
    assert head.make_output_human_readable(outputs)["tokens"] == [["a", "b", "a"], ["b"]]


def test_a_namespace_without_padding() -> None:
    vocab = Vocabulary(tokens_to_add={"word_labels": ["a"]})
    with pytest.raises(ConfigurationError) as error:
        MaskedLanguageModelHead(vocab, 2, label_namespace="word_labels")
    assert str(error.value) == (
        "The label_namespace of a masked_language_model must have entries for padding, which "
        "stands where no word was masked, but 'word_labels' has none. Choose a name that does not "
        "end in 'tags' or 'labels', in the dataset reader too."
    )
