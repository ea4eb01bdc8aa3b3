"""The `masked_tokens` reader: which words it masks, and what it keeps."""

import random
from pathlib import Path
from typing import Any, List

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance, Token, Vocabulary
from allennlp.data.data_loaders import MultiProcessDataLoader
from allennlp.data.dataset_readers.dataset_reader import DistributedInfo, WorkerInfo
from allennlp.data.fields import TextField
from allennlp.data.token_indexers import (
    PretrainedTransformerMismatchedIndexer,
    SingleIdTokenIndexer,
)
from allennlp.data.tokenizers import WhitespaceTokenizer

from multitask_model import LabeledJsonlReader, MaskedTokensReader, collate
from multitask_model.compat.allennlp_internals import set_distributed_info, set_worker_info
from multitask_model.data.pass_fields import instance_at_pass
from tests.helpers.fixed_reader import FixedReader
from tests.helpers.tiny_bert import make_tiny_bert

SENTENCE = " ".join(f"w{i}" for i in range(20))


def make_reader(**kwargs: Any) -> MaskedTokensReader:
    inner = {"type": "labeled_jsonl", "labels": {"topic": "class"}, "tokenizer": "whitespace"}
    reader = DatasetReader.from_params(Params({"type": "masked_tokens", "reader": inner, **kwargs}))
    assert isinstance(reader, MaskedTokensReader)
    return reader


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lines.jsonl"
    path.write_text(f'{{"text": "{SENTENCE}", "topic": "a"}}\n{{"text": "alone"}}\n')
    return path


def words(instance: Instance) -> List[str]:
    text: Any = instance["text"]
    return [str(token) for token in text.tokens]


def labels(instance: Instance) -> List[str]:
    field: Any = instance["masked_tokens"]
    return list(field.labels)


def test_a_proportion_of_the_words_is_masked_and_at_least_one(file: Path) -> None:
    long, short = make_reader().read(file)
    assert words(long).count("[MASK]") == 3  # 15 % of 20
    assert words(short) == ["[MASK]"]
    assert [word for word in labels(long) if word != "@@PADDING@@"] == [
        word for word, shown in zip(SENTENCE.split(), words(long)) if shown == "[MASK]"
    ]
    assert [shown for shown in words(long) if shown != "[MASK]"] == [
        word for word, label in zip(SENTENCE.split(), labels(long)) if label == "@@PADDING@@"
    ]


def test_other_fields_are_kept(file: Path) -> None:
    long, short = make_reader().read(file)
    assert long["topic"].label == "a"  # type: ignore[attr-defined]
    assert short.fields.keys() == {"text", "masked_tokens"}


def test_the_words_depend_on_the_seed_and_the_sentence_only(file: Path) -> None:
    first, reversed_order = make_reader(probability=0.5), make_reader(probability=0.5)
    expected = [labels(instance) for instance in first.read(file)]
    random.seed(1)
    file.write_text("\n".join(reversed(file.read_text().splitlines())))
    assert [labels(instance) for instance in reversed_order.read(file)] == expected[::-1]
    other = make_reader(probability=0.5, seed=1)
    assert labels(list(other.read(file))[1]) != expected[0]


def test_labels_of_unmasked_words_are_0_with_any_padding_token(file: Path) -> None:
    instances = list(make_reader().read(file))
    vocab = Vocabulary.from_instances(instances, padding_token="<pad>", oov_token="<unk>")
    words_in_vocab = vocab.get_token_to_index_vocabulary("masked_tokens")
    assert set(words_in_vocab) == {"<pad>", "<unk>", *SENTENCE.split(), "alone"}
    for instance in instances:
        instance.index_fields(vocab)
    hidden = collate(instances)["masked_tokens"]
    assert (hidden != 0).sum(-1).tolist() == [3, 1]


def test_a_sentence_without_words_has_no_masks() -> None:
    empty = Instance({"text": TextField([])})
    vocab = Vocabulary(tokens_to_add={"masked_tokens": ["a"], "tokens": ["a", "[MASK]"]})
    instances = []
    for text in (empty, Instance({"text": TextField([Token("a")])})):
        (instance,) = MaskedTokensReader(FixedReader(text)).read("")
        instance["text"].token_indexers = {"t": SingleIdTokenIndexer()}  # type: ignore[attr-defined]
        instance.index_fields(vocab)
        instances.append(instance_at_pass(instance, "1", vocab))
    batch = collate(instances)
    assert batch["masked_tokens"].tolist() == [[0], [2]]
    assert batch["text"]["t"]["tokens"].tolist() == [[0], [3]]


def test_other_fields_label_the_masked_text(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text('{"text": "a b c", "upos": ["X", "Y", "X"]}\n{"text": "a b c d e f g h"}\n')
    inner = LabeledJsonlReader({"upos": "tags"}, WhitespaceTokenizer())
    instances: Any = list(MaskedTokensReader(inner).read(path))
    assert instances[0]["upos"].sequence_field is instances[0]["text"]
    vocab = Vocabulary.from_instances(instances)
    for instance in instances:
        instance.index_fields(vocab)
    for batch in (instances, [instance_at_pass(instance, "1", vocab) for instance in instances]):
        tensors = collate(batch)
        assert tensors["text"]["tokens"]["tokens"].shape == (2, 8)
        assert tensors["masked_tokens"].shape == (2, 8)
        assert tensors["upos"].value.shape == (1, 8)


def test_all_words_are_in_the_vocabulary(file: Path) -> None:
    instances = list(make_reader().read(file))
    vocab = Vocabulary.from_instances(instances)
    assert vocab.get_vocab_size("masked_tokens") == 23  # with padding and OOV
    assert vocab.get_vocab_size("tokens") == 24  # also with the mask token
    static = Vocabulary.from_instances(make_reader(dynamic=False).read(file))
    assert static.get_vocab_size("masked_tokens") == 6
    assert static.get_vocab_size("tokens") == 20


def test_labels_of_unmasked_words_are_padding_in_a_batch(file: Path) -> None:
    instances = list(make_reader(mask_token="?").read(file))
    vocab = Vocabulary.from_instances(instances)
    for instance in instances:
        instance.index_fields(vocab)
    tensors = collate(instances)
    tokens, hidden = tensors["text"]["tokens"]["tokens"], tensors["masked_tokens"]
    assert hidden.shape == tokens.shape == (2, 20)
    is_masked = tokens == vocab.get_token_index("?", "tokens")
    assert torch.equal(hidden != 0, is_masked)
    assert vocab.get_token_from_index(int(hidden[1, 0]), "masked_tokens") == "alone"


def test_the_mask_token_of_a_transformer_is_one_word_piece(file: Path, tmp_path: Path) -> None:
    directory = make_tiny_bert(tmp_path / "bert")
    indexer = PretrainedTransformerMismatchedIndexer(directory)
    inner = LabeledJsonlReader({}, WhitespaceTokenizer(), {"bert": indexer})
    reader = MaskedTokensReader(inner, probability=1.0)
    short = list(reader.read(file))[1]
    short.index_fields(Vocabulary())
    tensor: Any = short.as_tensor_dict()["text"]
    assert tensor["bert"]["token_ids"].tolist() == [2, 4, 3]  # [CLS] [MASK] [SEP]


@pytest.mark.slow
def test_workers_read_each_instance_once(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    path.write_text("".join(f'{{"text": "w{row}"}}\n' for row in range(7)))
    loader = MultiProcessDataLoader(make_reader(), str(path), batch_size=2, num_workers=2)
    hidden = [word for instance in loader.iter_instances() for word in labels(instance)]
    assert sorted(hidden) == [f"w{row}" for row in range(7)]


def test_the_inner_reader_gets_the_process_info() -> None:
    reader = make_reader()
    worker, process = WorkerInfo(2, 1), DistributedInfo(2, 1)
    set_worker_info(reader, worker)
    set_distributed_info(reader, process)
    assert reader.reader.get_worker_info() is worker
    assert reader.reader.get_distributed_info() is process


def test_max_instances_limits_the_instances(file: Path) -> None:
    assert len(list(make_reader(max_instances=1).read(file))) == 1


def test_text_to_instance_masks_nothing() -> None:
    instance = make_reader().text_to_instance("a b [MASK]", topic="x")
    assert words(instance) == ["a", "b", "[MASK]"]
    assert instance.fields.keys() == {"text", "topic"}


@pytest.mark.parametrize("probability", [0.0, 1.5])
def test_a_probability_out_of_range_is_an_error(probability: float) -> None:
    with pytest.raises(ConfigurationError) as error:
        make_reader(probability=probability)
    assert str(error.value) == (
        f"probability must be greater than 0 and at most 1, but got {probability}. Leave it out "
        "for 0.15."
    )


def test_an_instance_without_the_text_field_is_an_error(file: Path) -> None:
    with pytest.raises(ValueError, match="text_field") as error:
        list(make_reader(text_field="test").read(file))
    assert str(error.value) == (
        "text_field must name a text field of every instance, but got 'test' for the fields "
        "['text', 'topic']. Did you mean 'text'? Set text_field."
    )


def test_word_pieces_are_an_error(file: Path, tmp_path: Path) -> None:
    directory = make_tiny_bert(tmp_path / "bert")
    tokenizer = {"type": "pretrained_transformer", "model_name": directory}
    inner = {"type": "labeled_jsonl", "labels": {}, "tokenizer": tokenizer}
    reader = DatasetReader.from_params(Params({"type": "masked_tokens", "reader": inner}))
    with pytest.raises(ValueError, match="word") as error:
        list(reader.read(file))
    assert str(error.value) == (
        "The tokens to mask must be words, but got word pieces of a pretrained transformer. Use a "
        "word tokenizer and the token indexer pretrained_transformer_mismatched."
    )
