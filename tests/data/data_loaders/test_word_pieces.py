"""Buckets and token budgets of texts whose words a transformer's tokenizer splits."""

import json
from pathlib import Path
from typing import Any, List

import pytest
from allennlp.data import Vocabulary
from allennlp.data.token_indexers import PretrainedTransformerMismatchedIndexer

from multitask_model import LabeledJsonlReader, MultiTaskDataLoader, MultiTaskDatasetReader
from multitask_model.data.data_loaders.padding_ratio import PaddingMeter, padded_length
from tests.helpers.tiny_bert import make_tiny_bert

# With [CLS] and [SEP], 3, 5, 4 and 6 word pieces.
TEXTS = ["cat", "doglyer", "the cat", "the doglyer"]


@pytest.fixture(name="reader", scope="module")
def _reader(tmp_path_factory: pytest.TempPathFactory) -> LabeledJsonlReader:
    folder = make_tiny_bert(tmp_path_factory.mktemp("bert"))
    indexer = PretrainedTransformerMismatchedIndexer(folder)
    return LabeledJsonlReader({}, token_indexers={"tokens": indexer})


def make_loader(reader: LabeledJsonlReader, folder: Path, **options: Any) -> MultiTaskDataLoader:
    path = folder / "texts.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))
    readers = MultiTaskDatasetReader({"a": reader})
    loader = MultiTaskDataLoader(readers, {"a": str(path)}, **options)
    assert len(loader) > 0  # counts the batches before the texts are indexed
    loader.index_with(Vocabulary())
    return loader


def pieces(loader: MultiTaskDataLoader) -> List[List[int]]:
    """The number of word pieces of each text of each batch, in ascending order."""
    masks: List[Any] = [batch["text"]["tokens"]["wordpiece_mask"] for batch in loader]
    return sorted(sorted(mask.sum(-1).tolist()) for mask in masks)


def test_the_length_of_an_indexed_text_is_its_number_of_word_pieces(
    reader: LabeledJsonlReader,
) -> None:
    instance = reader.text_to_instance("the doglyer")
    reader.apply_token_indexers(instance)
    text: Any = instance.fields["text"]
    assert padded_length(text) == 2
    instance.index_fields(Vocabulary())
    assert padded_length(text) == 6


def test_texts_of_as_many_word_pieces_are_in_one_bucket(
    reader: LabeledJsonlReader, tmp_path: Path
) -> None:
    options = {"batch_size": 2, "sorting_keys": ["text"], "padding_noise": 0.0}
    assert pieces(make_loader(reader, tmp_path, **options)) == [[3, 4], [5, 6]]


def test_a_token_budget_counts_word_pieces(reader: LabeledJsonlReader, tmp_path: Path) -> None:
    loader = make_loader(reader, tmp_path, batch_size=4, max_tokens=12, shuffle=False)
    assert len(loader) == 2
    assert pieces(loader) == [[3, 5], [4, 6]]
    loader = make_loader(reader, tmp_path, batch_size=4, max_tokens=11, shuffle=False)
    assert pieces(loader) == [[3, 5], [4], [6]]


def test_the_padding_ratio_counts_word_pieces(reader: LabeledJsonlReader) -> None:
    instances = [reader.text_to_instance(text) for text in TEXTS[:2]]
    for instance in instances:
        reader.apply_token_indexers(instance)
        instance.index_fields(Vocabulary())
    meter = PaddingMeter()
    meter.add(instances)
    assert meter.ratio == 1 - 8 / 10
