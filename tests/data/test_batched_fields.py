"""The tensors of a batch: the same as AllenNLP's, bit for bit."""

import random
from typing import Any, Callable, Dict, List

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, Instance, Token, TokenIndexer, Vocabulary
from allennlp.data.fields import LabelField, MetadataField, SequenceLabelField, TextField
from allennlp.data.token_indexers import (
    PretrainedTransformerIndexer,
    PretrainedTransformerMismatchedIndexer,
    SingleIdTokenIndexer,
    TokenCharactersIndexer,
)

from multitask_model.data import collate
from multitask_model.data.batched_fields import batch_fields, is_batched_fast
from tests.helpers import tiny_bert

LENGTHS = [3, 1, 7, 2]
Indexers = Callable[[], Dict[str, TokenIndexer]]


class DoublingIndexer(SingleIdTokenIndexer):
    """A subclass of an indexer, with other tensors."""

    def as_padded_tensor_dict(self, tokens: Any, padding_lengths: Dict[str, int]) -> Any:
        padded = super().as_padded_tensor_dict(tokens, padding_lengths)
        return {key: 2 * tensor for key, tensor in padded.items()}


class NegatedField(LabelField):
    """A subclass of a field, with other tensors."""

    def as_tensor(self, padding_lengths: Dict[str, int]) -> torch.Tensor:
        return -super().as_tensor(padding_lengths)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A BERT whose padding token is not token 0."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny_bert, "VOCABULARY", [*tiny_bert.VOCABULARY[::-1]])
        return tiny_bert.make_tiny_bert(tmp_path_factory.mktemp("bert"))


def make_instances(
    indexers: Indexers, lengths: List[int] = LENGTHS, field_type: Any = LabelField
) -> List[Instance]:
    """Indexed instances with a text and labels. Each text has its own indexers."""
    rng = random.Random(0)
    instances = []
    for length in lengths:
        words = rng.choices(["cat", "sitting", "good", "??", "a"], k=length)
        text = TextField([Token(word) for word in words], indexers())
        tags = SequenceLabelField(rng.choices("XYZ", k=length), text, "tags")
        fields: Dict[str, Any] = {"text": text, "tags": tags, "id": MetadataField([length])}
        instances.append(Instance({**fields, "label": field_type(rng.choice("PQ"))}))
    vocab = Vocabulary.from_instances(instances)
    for instance in instances:
        instance.index_fields(vocab)
    return instances


def assert_equal(found: Any, expected: Any) -> None:
    """Compares types, order, shapes, types of tensors and values."""
    assert type(found) is type(expected)
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        for key in expected:
            assert_equal(found[key], expected[key])
    elif isinstance(expected, torch.Tensor):
        assert found.dtype == expected.dtype
        assert torch.equal(found, expected)
        assert found.is_contiguous()
    else:
        assert found == expected


@pytest.mark.parametrize(
    ("indexers", "is_fast"),
    [
        (lambda: {"tokens": SingleIdTokenIndexer()}, True),
        (lambda: {"tokens": SingleIdTokenIndexer(token_min_padding_length=9)}, True),
        (lambda: {"b": SingleIdTokenIndexer(), "a": SingleIdTokenIndexer("x")}, True),
        (lambda: {"tokens": DoublingIndexer()}, False),
        (lambda: {"chars": TokenCharactersIndexer(min_padding_length=3)}, False),
    ],
    ids=["words", "minimum", "two", "subclass", "characters"],
)
def test_words_are_batched_as_by_allennlp(indexers: Indexers, is_fast: bool) -> None:
    instances = make_instances(indexers)
    assert_equal(collate(instances), Batch(instances).as_tensor_dict())
    assert batch_fields([i["text"] for i in instances]) is not None
    assert is_batched_fast(instances[0]) is is_fast


@pytest.mark.parametrize("max_length", [None, 6])
@pytest.mark.parametrize(
    "indexer", [PretrainedTransformerIndexer, PretrainedTransformerMismatchedIndexer]
)
def test_word_pieces_are_batched_as_by_allennlp(indexer: Any, max_length: Any, bert: str) -> None:
    instances = make_instances(lambda: {"pieces": indexer(bert, max_length=max_length)})
    found = collate(instances)
    assert_equal(found, Batch(instances).as_tensor_dict())
    assert found["text"]["pieces"]["token_ids"][1, -1] == tiny_bert.VOCABULARY[::-1].index("[PAD]")
    assert is_batched_fast(instances[0])


def test_indexers_with_different_minimum_lengths_are_batched_as_by_allennlp() -> None:
    minimum = iter([0, 9, 4, 2])
    instances = make_instances(lambda: {"t": SingleIdTokenIndexer("x", token_min_padding_length=0)})
    for instance in instances:
        text: Any = instance["text"]
        text.token_indexers = {"t": SingleIdTokenIndexer(token_min_padding_length=next(minimum))}
    found = collate(instances)
    assert_equal(found, Batch(instances).as_tensor_dict())
    assert found["text"]["t"]["tokens"].shape == (4, 9)


def test_indexers_with_different_padding_are_batched_as_by_allennlp(bert: str) -> None:
    instances = make_instances(lambda: {"t": SingleIdTokenIndexer()})
    other: Any = PretrainedTransformerIndexer(bert)
    text: Any = instances[1]["text"]
    text.token_indexers = {"t": other}
    found = collate(instances)
    assert_equal(found, Batch(instances).as_tensor_dict())
    assert found["text"]["t"]["tokens"][:2, -1].tolist() == [0, 23]


def test_an_indexer_and_one_of_a_subclass_are_batched_as_by_allennlp() -> None:
    indexers = iter([SingleIdTokenIndexer(), DoublingIndexer(), SingleIdTokenIndexer()])
    instances = make_instances(lambda: {"t": next(indexers)}, [3, 1, 2])
    found = collate(instances)
    assert_equal(found, Batch(instances).as_tensor_dict())


@pytest.mark.parametrize("lengths", [[0, 2], [2, 0], [0, 0]])
def test_empty_sequences_are_batched_as_by_allennlp(lengths: List[int], bert: str) -> None:
    for indexer in (SingleIdTokenIndexer(), PretrainedTransformerMismatchedIndexer(bert)):
        instances = make_instances(lambda i=indexer: {"t": i}, lengths)  # type: ignore[misc]
        assert_equal(collate(instances), Batch(instances).as_tensor_dict())


def test_a_subclass_of_a_field_is_batched_as_by_allennlp() -> None:
    instances = make_instances(lambda: {"t": SingleIdTokenIndexer()}, field_type=NegatedField)
    found = collate(instances)
    assert_equal(found, Batch(instances).as_tensor_dict())
    assert found["label"].min() == -1
    assert batch_fields([i["label"] for i in instances]) is None
    assert not is_batched_fast(instances[0])


def test_a_subclass_of_an_instance_is_batched_by_its_own_method() -> None:
    class Shorter(Instance):
        def as_tensor_dict(self, padding_lengths: Any = None) -> Any:
            tensors = super().as_tensor_dict(padding_lengths)
            return {"label": tensors["label"]}

    instances = make_instances(lambda: {"t": SingleIdTokenIndexer()})
    found = collate([Shorter(dict(instance.fields)) for instance in instances])
    assert list(found) == ["label"]


@pytest.mark.parametrize("name", ["text", "tags"])
def test_fields_that_are_not_indexed_are_an_error(name: str) -> None:
    text = TextField([Token("w")], {"t": SingleIdTokenIndexer()})
    fields: Dict[str, Any] = {"text": text, "tags": SequenceLabelField(["X"], text, "tags")}
    with pytest.raises(ConfigurationError, match=r"must call .index\(vocabulary\)"):
        collate([Instance({name: fields[name]})])
