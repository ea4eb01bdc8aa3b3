"""Scores of spans, in every encoding and of what is no span."""

from typing import Any, List, Tuple

import pytest
import torch
from allennlp.data import Vocabulary
from allennlp.models.heads import Head

from multitask_model.heads import CrfTaggerHead, TaggerHead
from multitask_model.training.metrics.span_f1 import spans_of_bioul

# A span of two tokens and one of a single token, then a token that is in none.
GOLD = {
    "BIO": ["B-x", "I-x", "B-y", "O"],
    "IOB1": ["I-x", "I-x", "I-y", "O"],
    "BIOUL": ["B-x", "L-x", "U-y", "O"],
    "BMES": ["B-x", "E-x", "S-y", "S-z"],
}


def scores_for(head: Any, tags: List[str]) -> torch.Tensor:
    names = head._labels.names
    return torch.nn.functional.one_hot(torch.tensor([[names.index(tag) for tag in tags]])).float()


@pytest.mark.parametrize("kind", ["tagger", "crf"])
@pytest.mark.parametrize("encoding", sorted(GOLD))
def test_spans_in_every_encoding(encoding: str, kind: str) -> None:
    gold = GOLD[encoding]
    vocab = Vocabulary(tokens_to_add={"labels": sorted(set(gold))})
    classes = len(set(gold))
    head: Head = (
        TaggerHead(vocab, classes, label_encoding=encoding)
        if kind == "tagger"
        else CrfTaggerHead(vocab, classes, encoding)
    ).eval()
    # The scores are what is encoded, and there are none for transitions.
    for name, parameter in head.named_parameters():
        if parameter.requires_grad:
            torch.nn.init.zeros_(parameter)
        if name == "_projection._linear.weight":
            torch.nn.init.eye_(parameter)
    encoded = scores_for(head, gold)
    mask = torch.ones(1, 4, dtype=torch.bool)
    head(encoded, mask, encoded.argmax(-1))
    assert head.get_metrics(reset=True)["f1-measure-overall"] == pytest.approx(1.0)
    # The second span of the gold tags is another one.
    other = encoded.argmax(-1)
    other[0, 2] = other[0, 3]
    head(encoded, mask, other)
    assert head.get_metrics()["precision-overall"] < 1.0


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        (["B-x", "I-x", "L-x"], [("x", (0, 2))]),
        (["U-x", "U-x"], [("x", (0, 0)), ("x", (1, 1))]),
        (["B", "L", "U"], [("", (0, 1)), ("", (2, 2))]),
        (["B-x", "L-y"], []),
        (["B-x", "O", "L-x"], []),
        (["B-x", "B-x", "L-x"], [("x", (1, 2))]),
        (["I-x", "L-x"], []),
        (["L"], []),
        (["O", "B-x"], []),
        (["B-x", "U-x", "L-x"], [("x", (1, 1))]),
        (["B-x", "L-x", "L-x"], [("x", (0, 1))]),
    ],
)
def test_spans_of_bioul(tags: List[str], spans: List[Tuple[str, Tuple[int, int]]]) -> None:
    assert spans_of_bioul(tags) == spans
