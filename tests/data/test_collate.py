"""Batches of instances with different fields."""

import copy
from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, Instance, Token
from allennlp.data.fields import MetadataField, SequenceLabelField, TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer
from allennlp.training.util import get_batch_size

from multitask_model.data import collate
from multitask_model.routing.partial import Partial
from tests.helpers.models import make_instance, make_vocab


def indexed(*instances: Any) -> Any:
    for instance in instances:
        instance.index_fields(make_vocab())
    return instances


def test_instances_with_the_same_fields_are_batched_as_by_allennlp() -> None:
    instances = indexed(make_instance("w1 w2", "a", "class1"), make_instance("w3", "b", "class0"))
    batch = collate(instances)
    expected: Any = Batch(instances).as_tensor_dict()
    assert batch.keys() == expected.keys()
    assert torch.equal(batch["text"]["tokens"]["tokens"], expected["text"]["tokens"]["tokens"])
    assert torch.equal(batch["label"], expected["label"])
    assert batch["task"] == expected["task"] == ["a", "b"]


def test_a_field_of_some_instances_has_their_rows() -> None:
    batch = collate(
        indexed(
            make_instance("w1", "a", size=1),
            make_instance("w2 w3", "a", "class2"),
            make_instance("w4", "a", "class1", size=3),
        )
    )
    assert batch["text"]["tokens"]["tokens"].shape == (3, 2)
    assert batch["label"].rows == (1, 2)
    assert batch["label"].value.tolist() == [2, 1]
    assert batch["size"] == Partial([1, 3], (0, 2))


def test_the_batch_size_is_that_of_a_field_of_all_instances() -> None:
    first = make_instance("w1", "a", "class2")
    first.fields = {name: first.fields[name] for name in ("label", "text", "task")}
    assert get_batch_size(collate(indexed(first, make_instance("w1", "a")))) == 2


def test_fields_of_different_types_are_an_error() -> None:
    first, second = make_instance("w1", "a", "class1"), make_instance("w2", "a")
    second.add_field("label", MetadataField(3))
    with pytest.raises(ConfigurationError, match="Field 'label' has 2 different types"):
        collate(indexed(first, second))


def test_a_batch_with_partial_fields_can_be_copied() -> None:
    batch = collate(indexed(make_instance("w1", "a", "class2"), make_instance("w1", "a")))
    copied = copy.deepcopy(batch)
    assert isinstance(copied["label"], Partial)
    value: Any = copied["label"].value
    assert value.tolist() == [2]
    assert copied["label"].value is not batch["label"].value


def test_tags_of_some_sentences_have_the_length_of_the_longest_sentence() -> None:
    texts: Any = [TextField([Token("w1")] * n, {"t": SingleIdTokenIndexer()}) for n in (2, 5)]
    # The tags may refer to a copy of the text, such as that of a reader which changes the text.
    for sequence in (texts[0], copy.deepcopy(texts[0]), TextField([Token("w9")] * 2)):
        tags = SequenceLabelField(["class1", "class2"], sequence)
        tagged = Instance({"text": texts[0], "other": TextField([], {}), "tags": tags})
        tensors = collate(indexed(tagged, Instance({"text": texts[1]})))
        assert tensors["tags"].value.tolist() == [[1, 2, 0, 0, 0]]


def test_tags_label_the_sequence_whose_length_they_always_have() -> None:
    def make(length: int, *tags: str) -> Instance:
        question, text = (TextField([Token("w1")] * n) for n in (2, length))
        copied = TextField([Token("w2")] * length)
        fields: Any = {"question": question, "text": text}
        for field in (question, text):
            field.token_indexers = {"t": SingleIdTokenIndexer()}
        if tags:
            fields["tags"] = SequenceLabelField(list(tags), copied)
        return Instance(fields)

    tensors = collate(indexed(make(2, "class1", "class1"), make(1, "class2"), make(4)))
    assert tensors["tags"].value.tolist() == [[1, 1, 0, 0], [2, 0, 0, 0]]
