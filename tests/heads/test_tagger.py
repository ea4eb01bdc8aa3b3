"""The `tagger` head: its numbers, and tags that the vocabulary does not know."""

import math
from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from multitask_model.heads import TaggerHead

ONE_EACH = torch.tensor(
    [[[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], [[0.0, 1.0], [9.0, 9.0], [9.0, 9.0]]]
)
MASK = torch.tensor([[True, True, True], [True, False, False]])


def tagger(vocab: Vocabulary, **kwargs: Any) -> TaggerHead:
    """The scores of the last two entries are the two numbers that encode a token, times log 3."""
    head = TaggerHead(vocab, 2, **kwargs).eval()
    classes = len(head._labels)
    weight = torch.zeros(classes, 2)
    weight[classes - 2 :] = math.log(3.0) * torch.eye(2)
    head.load_state_dict(
        {"_projection._linear.weight": weight, "_projection._linear.bias": torch.zeros(classes)}
    )
    return head


def open_vocab() -> Vocabulary:
    return Vocabulary(tokens_to_add={"lemmas": ["a", "b"]})  # padding and unknown come before these


def closed_vocab(*tags: str) -> Vocabulary:
    return Vocabulary(tokens_to_add={"labels": list(tags)})


def test_the_loss_is_the_mean_over_tokens_and_then_over_texts() -> None:
    head = tagger(closed_vocab("a", "b"))
    # The probability of what is encoded is 3/4. Right: one of three tokens; none of one.
    loss = head(ONE_EACH, MASK, torch.tensor([[1, 1, 1], [0, 0, 0]]))["loss"]
    first = -(math.log(3 / 4) + 2 * math.log(1 / 4)) / 3
    assert loss.item() == pytest.approx((first - math.log(1 / 4)) / 2)


def test_accuracy_is_over_all_tokens() -> None:
    head = tagger(closed_vocab("a", "b"))
    head(ONE_EACH, MASK, torch.tensor([[1, 1, 0], [0, 0, 0]]))
    assert head.get_metrics() == {"accuracy": pytest.approx(2 / 4)}


def test_predictions_and_their_names() -> None:
    head = tagger(closed_vocab("a", "b"))
    outputs = head(ONE_EACH, MASK)
    assert outputs["tags"].tolist() == [[0, 1, 0], [1, -1, -1]]
    readable = head.make_output_human_readable(outputs)
    assert readable["tags"] == [["a", "b", "a"], ["b"]]
    assert [row.shape for row in readable["logits"]] == [(3, 2), (1, 2)]


def test_padding_and_unknown_are_never_predicted() -> None:
    head = tagger(open_vocab(), label_namespace="lemmas")
    # All scores are negative, but for those of the entries that are no tags.
    outputs = head(-ONE_EACH, MASK)
    assert outputs["tags"].tolist() == [[3, 2, 3], [2, -1, -1]]
    assert torch.isfinite(outputs["logits"]).all()


def test_a_tag_that_the_vocabulary_does_not_know_is_an_error_but_no_loss() -> None:
    head = tagger(open_vocab(), label_namespace="lemmas")
    known = head(ONE_EACH[:1, :1], MASK[:1, :1], torch.tensor([[2]]))["loss"]
    head.get_metrics(reset=True)
    both = head(ONE_EACH[:1, :2], MASK[:1, :2], torch.tensor([[2, 1]]))["loss"]
    assert both.item() == pytest.approx(known.item())
    assert head.get_metrics() == {"accuracy": pytest.approx(1 / 2)}


def test_with_an_encoding_there_are_scores_of_spans() -> None:
    head = tagger(closed_vocab("O", "B-x"), label_encoding="BIO")
    head(ONE_EACH, MASK, torch.tensor([[0, 1, 1], [0, 0, 0]]))
    assert head.get_metrics() == {
        "accuracy": pytest.approx(2 / 4),
        "precision-overall": pytest.approx(1 / 2),
        "recall-overall": pytest.approx(1 / 2),
        "f1-measure-overall": pytest.approx(1 / 2),
    }


def test_a_namespace_that_is_not_there() -> None:
    with pytest.raises(ConfigurationError) as error:
        TaggerHead(closed_vocab("a"), 2, label_namespace="label")
    assert str(error.value) == (
        "The label_namespace of a head must be a namespace of the vocabulary that has labels, but "
        "'label' has none; the namespaces are ['labels']. Did you mean 'labels'? Set "
        "label_namespace to the namespace that the dataset reader puts these labels into."
    )


def test_a_namespace_with_nothing_but_padding_and_unknown() -> None:
    vocab = Vocabulary(tokens_to_add={"lemmas": []})
    with pytest.raises(ConfigurationError, match="but 'lemmas' has none"):
        TaggerHead(vocab, 2, label_namespace="lemmas")
