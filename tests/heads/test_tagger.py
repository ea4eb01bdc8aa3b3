"""The `tagger` head: its loss, accuracy and predictions, and OOV tags."""

import math
from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from multitask_model.heads import TaggerHead

ENCODED = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], [[0.0, 1.0], [9.0, 9.0], [9.0, 9.0]]])
MASK = torch.tensor([[True, True, True], [True, False, False]])


def tagger(vocab: Vocabulary, **kwargs: Any) -> TaggerHead:
    """The logits of the last two entries are the two elements of an encoded token, times log 3."""
    head = TaggerHead(vocab, 2, **kwargs).eval()
    classes = vocab.get_vocab_size(kwargs.get("label_namespace", "labels"))
    weight = torch.zeros(classes, 2)
    weight[classes - 2 :] = math.log(3.0) * torch.eye(2)
    head.load_state_dict(
        {"_projection._linear.weight": weight, "_projection._linear.bias": torch.zeros(classes)}
    )
    return head


def open_vocab() -> Vocabulary:
    return Vocabulary(tokens_to_add={"lemmas": ["a", "b"]})  # after padding and OOV


def closed_vocab(*tags: str) -> Vocabulary:
    return Vocabulary(tokens_to_add={"labels": list(tags)})


def test_the_loss_is_the_mean_over_tokens_and_then_over_sequences() -> None:
    head = tagger(closed_vocab("a", "b"))
    # The encoded tag has the probability 3/4. It is the gold tag of one of the first three tokens.
    loss = head(ENCODED, MASK, torch.tensor([[1, 1, 1], [0, 0, 0]]))["loss"]
    first = -(math.log(3 / 4) + 2 * math.log(1 / 4)) / 3
    assert loss.item() == pytest.approx((first - math.log(1 / 4)) / 2)


def test_the_accuracy_is_the_mean_over_all_tokens() -> None:
    head = tagger(closed_vocab("a", "b"))
    head(ENCODED, MASK, torch.tensor([[1, 1, 0], [0, 0, 0]]))
    assert head.get_metrics() == {"accuracy": pytest.approx(2 / 4)}


def test_readable_tags_are_names_without_padding() -> None:
    head = tagger(closed_vocab("a", "b"))
    outputs = head(ENCODED, MASK)
    assert outputs["tags"].tolist() == [[0, 1, 0], [1, -1, -1]]
    readable = head.make_output_human_readable(outputs)
    assert readable["tags"] == [["a", "b", "a"], ["b"]]
    assert [row.shape for row in readable["logits"]] == [(3, 2), (1, 2)]


def test_padding_and_oov_are_never_predicted() -> None:
    head = tagger(open_vocab(), label_namespace="lemmas")
    # The logits of padding and OOV are 0, and all others are negative.
    outputs = head(-ENCODED, MASK)
    assert outputs["tags"].tolist() == [[3, 2, 3], [2, -1, -1]]
    assert torch.isfinite(outputs["logits"]).all()


def test_an_oov_tag_counts_as_an_error_but_not_in_the_loss() -> None:
    head = tagger(open_vocab(), label_namespace="lemmas")
    known = head(ENCODED[:1, :1], MASK[:1, :1], torch.tensor([[2]]))["loss"]
    head.get_metrics(reset=True)
    both = head(ENCODED[:1, :2], MASK[:1, :2], torch.tensor([[2, 1]]))["loss"]
    assert both.item() == pytest.approx(known.item())
    assert head.get_metrics() == {"accuracy": pytest.approx(1 / 2)}


def test_spans_are_scored_if_an_encoding_is_given() -> None:
    head = tagger(closed_vocab("O", "B-x"), label_encoding="BIO")
    head(ENCODED, MASK, torch.tensor([[0, 1, 1], [0, 0, 0]]))
    assert head.get_metrics() == {
        "accuracy": pytest.approx(2 / 4),
        "precision-overall": pytest.approx(1 / 2),
        "recall-overall": pytest.approx(1 / 2),
        "f1-measure-overall": pytest.approx(1 / 2),
    }


def test_a_missing_namespace_is_rejected() -> None:
    with pytest.raises(ConfigurationError) as error:
        TaggerHead(closed_vocab("a"), 2, label_namespace="label")
    assert str(error.value) == (
        "The label_namespace of a head must be a namespace of the vocabulary that has labels, but "
        "got 'label', which has none. Did you mean 'labels'? Set label_namespace to the namespace "
        "that the dataset reader writes the labels to. Known namespaces: ['labels']."
    )


def test_a_namespace_with_only_padding_and_oov_is_rejected() -> None:
    vocab = Vocabulary(tokens_to_add={"lemmas": []})
    with pytest.raises(ConfigurationError, match="got 'lemmas', which has none"):
        TaggerHead(vocab, 2, label_namespace="lemmas")
