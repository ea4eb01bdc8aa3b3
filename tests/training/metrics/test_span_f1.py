"""Scores of spans in every encoding, compared with AllenNLP's."""

import random
from typing import List, cast

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.models.heads import Head
from allennlp.training.metrics import SpanBasedF1Measure

from multitask_model.heads import CrfTaggerHead, TaggerHead
from multitask_model.modules.label_vocabulary import LabelVocabulary
from multitask_model.modules.span_encodings import spans_of_bioes, spans_of_bioul
from multitask_model.training.metrics import SpanF1

# A span of two tokens, a span of one token, and a token outside these spans.
GOLD = {
    "BIO": ["B-x", "I-x", "B-y", "O"],
    "IOB1": ["I-x", "I-x", "I-y", "O"],
    "BIOUL": ["B-x", "L-x", "U-y", "O"],
    "BIOES": ["B-x", "E-x", "S-y", "O"],
    "BMES": ["B-x", "E-x", "S-y", "S-z"],
}
TAGS = {
    "BIO": ["O", "B-x", "I-x", "B-y", "I-y"],
    "IOB1": ["O", "B-x", "I-x", "B-y", "I-y"],
    "BIOUL": ["O", "B-x", "I-x", "L-x", "U-x", "B-y", "L-y"],
    "BIOES": ["O", "B-x", "I-x", "E-x", "S-x", "B-y", "E-y"],
    "BMES": ["B-x", "M-x", "E-x", "S-x", "B-y", "E-y"],
}


def one_hot(vocab: Vocabulary, tags: List[str]) -> torch.Tensor:
    indices = torch.tensor([[vocab.get_token_index(tag, "labels") for tag in tags]])
    return torch.nn.functional.one_hot(indices).float()


@pytest.mark.parametrize("kind", ["tagger", "crf"])
@pytest.mark.parametrize("encoding", sorted(GOLD))
def test_heads_measure_spans_in_every_encoding(encoding: str, kind: str) -> None:
    gold = GOLD[encoding]
    vocab = Vocabulary(tokens_to_add={"labels": sorted(set(gold))})
    classes = len(set(gold))
    head: Head = (
        TaggerHead(vocab, classes, label_encoding=encoding)
        if kind == "tagger"
        else CrfTaggerHead(vocab, classes, encoding)
    ).eval()
    # The logits equal the encoded tokens, and all transitions have the score 0.
    for name, parameter in head.named_parameters():
        if parameter.requires_grad:
            torch.nn.init.zeros_(parameter)
        if name == "_projection._linear.weight":
            torch.nn.init.eye_(parameter)
    encoded = one_hot(vocab, gold)
    mask = torch.ones(1, 4, dtype=torch.bool)
    head(encoded, mask, encoded.argmax(-1))
    assert head.get_metrics(reset=True)["f1-measure-overall"] == pytest.approx(1.0)
    # The second span of the gold tags is a different one.
    other = encoded.argmax(-1)
    other[0, 2] = other[0, 3]
    head(encoded, mask, other)
    assert head.get_metrics()["precision-overall"] < 1.0


@pytest.mark.parametrize("encoding", sorted(TAGS))
def test_scores_equal_those_of_allennlp(encoding: str) -> None:
    vocab = Vocabulary(tokens_to_add={"labels": TAGS[encoding]})
    # AllenNLP raises an error for ill-formed spans of BIOUL, and does not know BIOES.
    to_spans = {"BIOUL": spans_of_bioul, "BIOES": spans_of_bioes}.get(encoding)
    expected = SpanBasedF1Measure(
        vocab,
        "labels",
        label_encoding=encoding if to_spans is None else None,
        tags_to_spans_function=to_spans,
    )
    found = SpanF1(LabelVocabulary(vocab, "labels"), encoding)
    classes = len(TAGS[encoding])
    for _ in range(5):
        gold, scores = torch.randint(classes, (4, 9)), torch.rand(4, 9, classes)
        scores += 0.5 * torch.nn.functional.one_hot(gold, classes)  # about half are correct
        lengths = torch.tensor([random.randint(0, 9) for _ in range(4)])
        mask = cast(torch.BoolTensor, torch.arange(9) < lengths.unsqueeze(-1))
        expected(scores, gold, mask)
        found(scores.argmax(-1), gold, mask)
    metrics = found.get_metric()
    assert metrics == {name: expected.get_metric()[name] for name in metrics}
    assert 0.0 < metrics["f1-measure-overall"] < 1.0


def test_labels_that_begin_with_c_are_labels_like_any_other() -> None:
    # As in CoNLL 2012, AllenNLP would merge "C-x" with "x", and with "x2" too.
    tags = ["O", "B-x", "B-C-x", "I-C-x", "B-x2"]
    f1 = SpanF1(LabelVocabulary(Vocabulary(tokens_to_add={"labels": tags}), "labels"), "BIO")
    gold = torch.tensor([[1, 0, 2, 3, 4]])
    f1(torch.tensor([[1, 0, 2, 0, 4]]), gold)  # the second span is too short
    assert (f1.true_positives, f1.false_positives, f1.false_negatives) == (2, 1, 1)


def test_a_reset_sets_all_counts_to_zero() -> None:
    vocab = Vocabulary(tokens_to_add={"labels": ["O", "B-x"]})
    f1 = SpanF1(LabelVocabulary(vocab, "labels"), "BIO")
    f1(torch.tensor([[1, 1, 0]]), torch.tensor([[1, 0, 1]]))
    assert (f1.true_positives, f1.false_positives, f1.false_negatives) == (1, 1, 1)
    f1.get_metric(reset=True)
    assert (f1.true_positives, f1.false_positives, f1.false_negatives) == (0, 0, 0)


def test_a_gold_label_that_is_not_in_the_vocabulary_is_rejected() -> None:
    vocab = Vocabulary(tokens_to_add={"labels": ["O", "B-x"]})
    with pytest.raises(ConfigurationError) as error:
        SpanF1(LabelVocabulary(vocab, "labels"), "BIO")(torch.tensor([[1]]), torch.tensor([[2]]))
    assert str(error.value) == (
        "Tags must be indices from 0 to 1, but got 2. Index the tags with the vocabulary of the "
        "head."
    )
