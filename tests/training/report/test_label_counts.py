"""Confusion matrices and scores of spans, by hand."""

from typing import Optional

import pytest
import torch

from multitask_model.training.report.label_counts import (
    Confusion,
    LabelCounts,
    SpanScores,
    confusion_matrix,
)

TAGS = ["O", "B-city", "I-city", "B-day"]


def test_padding_and_unknown_gold_labels_do_not_count() -> None:
    counts = LabelCounts(["a", "b"])
    counts.add(torch.tensor([[0, 1, -1], [1, -1, -1]]), torch.tensor([[0, 0, 0], [7, 0, 0]]))
    assert counts.pairs == {(0, 0): 1, (0, 1): 1}


def test_the_most_frequent_gold_labels_come_first() -> None:
    pairs = [["a", "a", 1], ["b", "a", 2], ["b", "b", 3], ["c", "b", 4]]
    assert confusion_matrix(pairs, most=5) == Confusion(
        ["b", "c", "a"], [[3, 0, 2], [4, 0, 0], [0, 0, 1]]
    )


def test_rare_labels_share_a_row() -> None:
    pairs = [["a", "a", 9], ["b", "c", 2], ["c", "c", 3], ["d", "a", 1]]
    # b with 2 and d with 1 are left out.
    assert confusion_matrix(pairs, most=2) == Confusion(
        ["a", "c", "(other)"], [[9, 0, 0], [0, 3, 0], [1, 2, 0]]
    )


def test_mistakes_are_sorted_by_number_and_name_labels_only() -> None:
    confusion = Confusion(["a", "b", "(other)"], [[5, 1, 9], [2, 5, 9], [9, 9, 9]])
    assert confusion.mistakes(3) == [("b", "a", 2), ("a", "b", 1)]


@pytest.mark.parametrize("encoding", [None, "BIO"])
def test_predictions_without_a_name_do_not_count(encoding: Optional[str]) -> None:
    # A head with `num_labels` may predict more labels than the vocabulary has.
    counts = LabelCounts(["O", "B-city"], encoding)
    counts.add(torch.tensor([[4, 1]]), torch.tensor([[1, 1]]))
    pairs = [] if encoding else [["B-city", "B-city", 1]]
    spans = {"city": [1, 1, 1]} if encoding else {}
    assert counts.to_json() == {"pairs": pairs, "spans": spans}


def test_spans_are_counted_by_label() -> None:
    counts = LabelCounts(TAGS, "BIO")
    # Gold: city (0, 1), day (2, 2). Predicted: city (0, 1), city (2, 2), and padding.
    counts.add(torch.tensor([[1, 2, 1, -1]]), torch.tensor([[1, 2, 3, 0]]))
    assert counts.spans == {"city": [1, 2, 1], "day": [0, 0, 1]}
    assert SpanScores.of("city", 1, 2, 1) == ("city", 0.5, 1.0, 2 / 3, 1)


def test_counts_of_processes_are_added() -> None:
    counts = LabelCounts(TAGS)
    for _ in range(2):
        counts.merge({(0, 1): 2}, {"city": [1, 2, 3]})
    assert counts.pairs == {(0, 1): 4}
    assert counts.spans == {"city": [2, 4, 6]}
