"""The accuracy of tags, compared with AllenNLP's, and the scores of spans."""

from typing import cast

import torch
from allennlp.data import Vocabulary
from allennlp.training.metrics import CategoricalAccuracy

from multitask_model.modules.label_vocabulary import LabelVocabulary
from multitask_model.training.metrics import TagMetrics


def labels() -> LabelVocabulary:
    return LabelVocabulary(Vocabulary(tokens_to_add={"labels": ["O", "B-x", "I-x"]}), "labels")


def test_the_accuracy_equals_that_of_allennlp() -> None:
    found, expected = TagMetrics(labels()), CategoricalAccuracy()
    for _ in range(5):
        scores, gold = torch.rand(4, 6, 3), torch.randint(3, (4, 6))
        mask = cast(torch.BoolTensor, torch.arange(6) < torch.randint(7, (4, 1)))
        found(scores.argmax(-1), gold, mask)
        expected(scores, gold, mask)
    assert found.get_metric() == {"accuracy": expected.get_metric()}


def test_without_a_mask_all_tags_are_included() -> None:
    metrics = TagMetrics(labels())
    metrics(torch.tensor([[1, 2]]), torch.tensor([[1, 1]]))
    assert metrics.get_metric() == {"accuracy": 0.5}


def test_without_tags_there_are_no_metrics() -> None:
    metrics = TagMetrics(labels(), "BIO")
    assert metrics.get_metric() == {}
    metrics(torch.tensor([[1]]), torch.tensor([[1]]), torch.tensor([[False]]))
    assert metrics.get_metric() == {}


def test_with_an_encoding_spans_are_scored_and_reset_too() -> None:
    metrics = TagMetrics(labels(), "BIO")
    before = metrics.get_metric()
    metrics(torch.tensor([[1, 2]]), torch.tensor([[1, 2]]))
    after = metrics.get_metric()
    assert after.keys() == {
        "accuracy",
        "precision-overall",
        "recall-overall",
        "f1-measure-overall",
    }
    assert min(after.values()) > 0.99
    metrics.reset()
    assert metrics.get_metric() == before
