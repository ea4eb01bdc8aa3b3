"""Readable outputs are copies with names in place of indices."""

import torch
from allennlp.data import Vocabulary

from multitask_model.modules.label_vocabulary import LabelVocabulary
from multitask_model.modules.readable_outputs import readable_tags, with_readable


def test_readable_values_are_added_to_a_copy() -> None:
    outputs = {"probs": torch.zeros(1)}
    readable = with_readable(outputs, labels=[["a"]])
    assert readable["labels"] == [["a"]]
    assert readable["probs"] is outputs["probs"]
    assert outputs.keys() == {"probs"}


def test_tags_become_names_and_logits_lose_their_padding() -> None:
    labels = LabelVocabulary(Vocabulary(tokens_to_add={"labels": ["a", "b"]}), "labels")
    outputs = {"logits": torch.zeros(2, 3, 2), "tags": torch.tensor([[1, 0, 1], [0, -1, -1]])}
    readable = readable_tags(labels, outputs)
    assert readable["tags"] == [["b", "a", "b"], ["a"]]
    assert [row.shape for row in readable["logits"]] == [(3, 2), (1, 2)]


def test_outputs_without_tags_are_returned_unchanged() -> None:
    labels = LabelVocabulary(Vocabulary(tokens_to_add={"labels": ["a"]}), "labels")
    outputs = {"loss": torch.zeros(())}
    assert readable_tags(labels, outputs) is outputs
