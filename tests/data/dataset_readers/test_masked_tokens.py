"""The `masked_tokens` reader: which words it masks, and what it leaves alone."""

import random
from pathlib import Path
from typing import Any, List

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance, Vocabulary
from allennlp.data.data_loaders import MultiProcessDataLoader
from allennlp.data.dataset_readers.dataset_reader import DistributedInfo, WorkerInfo
from allennlp.data.token_indexers import PretrainedTransformerMismatchedIndexer

from multitask_model import MaskedTokensReader, collate
from tests.helpers.tiny_bert import make_tiny_bert

TEXT = " ".join(f"w{i}" for i in range(20))


def masked(**kwargs: Any) -> MaskedTokensReader:
    inner = {"type": "labeled_jsonl", "labels": {"topic": "class"}, "tokenizer": "whitespace"}
    reader = DatasetReader.from_params(Params({"type": "masked_tokens", "reader": inner, **kwargs}))
    assert isinstance(reader, MaskedTokensReader)
    return reader


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "texts.jsonl"
    path.write_text(f'{{"text": "{TEXT}", "topic": "a"}}\n{{"text": "alone"}}\n')
    return path


def words(instance: Instance) -> List[str]:
    text: Any = instance["text"]
    return [str(token) for token in text.tokens]


def labels(instance: Instance) -> List[str]:
    field: Any = instance["masked_tokens"]
    return list(field.labels)


def test_a_share_of_the_words_is_masked_and_at_least_one(file: Path) -> None:
    long, short = masked().read(file)
    assert words(long).count("[MASK]") == 3  # 15 % of 20
    assert words(short) == ["[MASK]"]
    assert [word for word in labels(long) if word != "@@PADDING@@"] == [
        word for word, shown in zip(TEXT.split(), words(long)) if shown == "[MASK]"
    ]
    assert [shown for shown in words(long) if shown != "[MASK]"] == [
        word for word, label in zip(TEXT.split(), labels(long)) if label == "@@PADDING@@"
    ]


def test_other_fields_stay(file: Path) -> None:
    long, short = masked().read(file)
    assert long["topic"].label == "a"  # type: ignore[attr-defined]
    assert short.fields.keys() == {"text", "masked_tokens"}


def test_the_words_are_drawn_at_random_from_the_seed(file: Path) -> None:
    reader = masked(probability=0.5)
    random.seed(1)
    first, second = [[labels(i) for i in reader.read(file)] for _ in range(2)]
    random.seed(1)
    assert [labels(instance) for instance in reader.read(file)] == first
    assert first != second


def test_in_a_batch_what_was_not_masked_is_padding(file: Path) -> None:
    instances = list(masked(mask_token="?").read(file))
    vocab = Vocabulary.from_instances(instances)
    for instance in instances:
        instance.index_fields(vocab)
    tensors = collate(instances)
    tokens, hidden = tensors["text"]["tokens"]["tokens"], tensors["masked_tokens"]
    assert hidden.shape == tokens.shape == (2, 20)
    is_masked = tokens == vocab.get_token_index("?", "tokens")
    assert torch.equal(hidden != 0, is_masked)
    assert vocab.get_token_from_index(int(hidden[1, 0]), "masked_tokens") == "alone"


def test_the_mask_token_of_a_transformer_is_one_piece(file: Path, tmp_path: Path) -> None:
    directory = make_tiny_bert(tmp_path / "bert")
    indexer = PretrainedTransformerMismatchedIndexer(directory)
    reader = masked(probability=1.0)
    reader.reader._token_indexers = {"bert": indexer}  # type: ignore[attr-defined]
    short = list(reader.read(file))[1]
    short.index_fields(Vocabulary())
    tensor: Any = short.as_tensor_dict()["text"]
    assert tensor["bert"]["token_ids"].tolist() == [2, 4, 3]  # [CLS] [MASK] [SEP]


def test_workers_read_each_text_once(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    path.write_text("".join(f'{{"text": "w{row}"}}\n' for row in range(7)))
    loader = MultiProcessDataLoader(masked(), str(path), batch_size=2, num_workers=2)
    hidden = [word for instance in loader.iter_instances() for word in labels(instance)]
    assert sorted(hidden) == [f"w{row}" for row in range(7)]


def test_the_other_reader_is_told_of_processes() -> None:
    reader = masked()
    worker, process = WorkerInfo(2, 1), DistributedInfo(2, 1)
    reader._set_worker_info(worker)
    reader._set_distributed_info(process)
    assert reader.reader._worker_info is worker
    assert reader.reader._distributed_info is process


def test_max_instances(file: Path) -> None:
    assert len(list(masked(max_instances=1).read(file))) == 1


def test_a_text_to_predict_is_not_masked() -> None:
    instance = masked().text_to_instance("a b [MASK]", topic="x")
    assert words(instance) == ["a", "b", "[MASK]"]
    assert instance.fields.keys() == {"text", "topic"}


@pytest.mark.parametrize("probability", [0.0, 1.5])
def test_a_share_that_cannot_be(probability: float) -> None:
    with pytest.raises(ConfigurationError) as error:
        masked(probability=probability)
    assert str(error.value) == (
        "probability must be the share of words to mask, above 0 and at most 1, but it is "
        f"{probability}. Leave it out for 0.15."
    )


def test_no_such_text(file: Path) -> None:
    with pytest.raises(ValueError, match="text_field") as error:
        list(masked(text_field="test").read(file))
    assert str(error.value) == (
        "An instance to mask must have a text in the reader's text_field 'test', but its fields "
        "are ['text', 'topic']. Did you mean 'text'? Set text_field."
    )


def test_a_text_of_word_pieces(file: Path, tmp_path: Path) -> None:
    directory = make_tiny_bert(tmp_path / "bert")
    tokenizer = {"type": "pretrained_transformer", "model_name": directory}
    inner = {"type": "labeled_jsonl", "labels": {}, "tokenizer": tokenizer}
    reader = DatasetReader.from_params(Params({"type": "masked_tokens", "reader": inner}))
    with pytest.raises(ValueError, match="word") as error:
        list(reader.read(file))
    assert str(error.value) == (
        "A text to mask must be of words, but this one is of the pieces that the tokenizer of a "
        "pretrained transformer makes. Use a tokenizer of words, and the token indexer "
        "pretrained_transformer_mismatched."
    )
