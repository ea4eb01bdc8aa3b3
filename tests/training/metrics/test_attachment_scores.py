"""Attachment scores, compared with AllenNLP's."""

from typing import cast

import torch
from allennlp.training.metrics import AttachmentScores as AllenNLPAttachmentScores

from multitask_model.training.metrics import AttachmentScores


def test_scores_equal_those_of_allennlp() -> None:
    found, expected = AttachmentScores([1]), AllenNLPAttachmentScores([1])
    for _ in range(5):
        heads, labels, gold_heads, gold_labels = torch.randint(3, (4, 4, 6))
        mask = cast(torch.BoolTensor, torch.arange(6) < torch.randint(7, (4, 1)))
        found(heads, labels, gold_heads, gold_labels, mask)
        expected(heads, labels, gold_heads, gold_labels, mask)
    metrics = found.get_metric()
    assert metrics == {name: expected.get_metric()[name] for name in ("UAS", "LAS")}
    assert 0.0 < metrics["LAS"] < metrics["UAS"] < 1.0


def test_all_words_are_included_without_a_mask() -> None:
    scores = AttachmentScores()
    heads, labels = torch.tensor([[2, 0, 2]]), torch.tensor([[0, 1, 2]])
    scores(heads, labels, heads, torch.tensor([[0, 0, 2]]))
    assert (scores.unlabeled_correct, scores.labeled_correct, scores.total_words) == (3, 2, 3)


def test_without_words_there_are_no_scores() -> None:
    scores = AttachmentScores([1])
    assert scores.get_metric() == {}
    ones = torch.ones(1, 2, dtype=torch.long)
    scores(ones, ones, ones, ones)  # only words with the ignored label
    assert scores.get_metric() == {}


def test_a_reset_sets_all_counts_to_zero() -> None:
    scores = AttachmentScores()
    ones = torch.ones(1, 2, dtype=torch.long)
    scores(ones, ones, ones, ones)
    assert scores.get_metric(reset=True) == {"UAS": 1.0, "LAS": 1.0}
    assert (scores.unlabeled_correct, scores.labeled_correct, scores.total_words) == (0, 0, 0)
