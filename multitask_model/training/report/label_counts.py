"""How often each label was predicted for each gold label, and how many spans were found."""

from collections import Counter
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import torch

from multitask_model.modules.span_encodings import ENCODINGS

OTHER = "(other)"
"""The row and the column of the labels that are left out."""


class LabelCounts:
    """
    Counts pairs of a gold and a predicted label; with a `label_encoding`, spans by their label.

        >>> counts = LabelCounts(["no", "yes"])
        >>> counts.add(torch.tensor([1, 1, 0]), torch.tensor([1, 0, 0]))
        >>> counts.to_json()["pairs"]
        [['no', 'no', 1], ['no', 'yes', 1], ['yes', 'yes', 1]]

    # Parameters

    names : `Sequence[str]`
        The name of each index.
    label_encoding : `str`, optional (default = `None`)
        As of `SpanF1`.
    """

    def __init__(self, names: Sequence[str], label_encoding: Optional[str] = None) -> None:
        self._names = names
        self._encoding = None if label_encoding is None else ENCODINGS[label_encoding]
        self.pairs: Dict[Tuple[int, int], int] = {}
        """The number of each pair of a gold and a predicted index."""
        self.spans: Dict[str, List[int]] = {}
        """For each label the numbers of spans: correct, predicted and gold."""

    def add(self, predicted: torch.Tensor, gold: torch.Tensor) -> None:
        """
        # Parameters

        predicted : `torch.Tensor`
            Of shape (B,) or (B, T): indices, -1 for padding.
        gold : `torch.Tensor`
            Of the same shape. Pairs with a negative index or one without a name do not count.
        """
        count = len(self._names)
        is_label = (predicted >= 0) & (predicted < count) & (gold >= 0) & (gold < count)
        if self._encoding is None:
            index = gold[is_label].long() * len(self._names) + predicted[is_label].long()
            values, numbers = torch.unique(index, return_counts=True)
            for value, number in zip(values.tolist(), numbers.tolist()):
                pair = divmod(value, len(self._names))
                self.pairs[pair] = self.pairs.get(pair, 0) + number
        else:
            for row, row_gold, keep in zip(predicted, gold, is_label):
                self._add_spans(row[keep].tolist(), row_gold[keep].tolist())

    def _add_spans(self, predicted: List[int], gold: List[int]) -> None:
        assert self._encoding is not None
        found, right = (
            set(self._encoding.to_spans([self._names[tag] for tag in tags]))
            for tags in (predicted, gold)
        )
        for position, spans in enumerate((found & right, found, right)):
            for label, number in Counter(label for label, _ in spans).items():
                self.spans.setdefault(label, [0, 0, 0])[position] += number

    def merge(self, pairs: Mapping[Tuple[int, int], int], spans: Mapping[str, List[int]]) -> None:
        """Adds what another process counted."""
        for pair, number in pairs.items():
            self.pairs[pair] = self.pairs.get(pair, 0) + number
        for label, numbers in spans.items():
            own = self.spans.get(label, [0, 0, 0])
            self.spans[label] = [a + b for a, b in zip(own, numbers)]

    def to_json(self) -> Dict[str, Any]:
        """Returns plain data: `pairs` of names with their number, and `spans`."""
        pairs = [[self._names[g], self._names[p], n] for (g, p), n in sorted(self.pairs.items())]
        return {"pairs": pairs, "spans": dict(sorted(self.spans.items()))}


class Confusion(NamedTuple):
    """
    A confusion matrix: a row for each gold label, the most frequent first, and the same columns for
    the predicted labels.

        >>> confusion_matrix([["b", "a", 1], ["a", "a", 5], ["c", "b", 1]], most=2)
        Confusion(labels=['a', 'b', '(other)'], counts=[[5, 0, 0], [1, 0, 0], [0, 1, 0]])
    """

    labels: List[str]
    counts: List[List[int]]

    def mistakes(self, most: int) -> List[Tuple[str, str, int]]:
        """Returns the most frequent pairs of a gold label and another that was predicted."""
        pairs = [
            (self.labels[i], self.labels[j], number)
            for i, row in enumerate(self.counts)
            for j, number in enumerate(row)
            if i != j and number and OTHER not in (self.labels[i], self.labels[j])
        ]
        return sorted(pairs, key=lambda pair: -pair[2])[:most]


def confusion_matrix(pairs: Sequence[Sequence[Any]], most: int) -> Confusion:
    """
    # Parameters

    pairs : `Sequence[Sequence[Any]]`
        Lists of a gold label, a predicted label and their number.
    most : `int`
        The number of labels that have a row of their own. The others share one, `OTHER`.
    """
    frequency: Dict[str, int] = {}
    for gold, predicted, number in pairs:
        frequency[gold] = frequency.get(gold, 0) + number
        frequency.setdefault(predicted, 0)
    ordered = sorted(frequency, key=lambda label: (-frequency[label], label))
    labels = ordered[:most] + ([OTHER] if len(ordered) > most else [])
    rows = {label: min(i, most) for i, label in enumerate(ordered)}
    counts = [[0] * len(labels) for _ in labels]
    for gold, predicted, number in pairs:
        counts[rows[gold]][rows[predicted]] += number
    return Confusion(labels, counts)


class SpanScores(NamedTuple):
    """
    The scores of the spans of one label.

        >>> SpanScores.of("city", correct=1, predicted=2, gold=4)
        SpanScores(label='city', precision=0.5, recall=0.25, f1=0.333..., gold=4)
    """

    label: str
    precision: float
    recall: float
    f1: float
    gold: int
    """The number of gold spans."""

    @classmethod
    def of(cls, label: str, correct: int, predicted: int, gold: int) -> "SpanScores":
        """Computes the scores from numbers of spans; 0 where there are none."""
        both = predicted + gold
        return cls(
            label,
            correct / predicted if predicted else 0.0,
            correct / gold if gold else 0.0,
            2 * correct / both if both else 0.0,
            gold,
        )
