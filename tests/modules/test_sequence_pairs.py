"""Joined pairs of sequences have the form that the tokenizer of the transformer gives a pair."""

from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, Instance, Vocabulary
from allennlp.data.fields import TextField
from allennlp.data.token_indexers import PretrainedTransformerIndexer
from allennlp.data.tokenizers import PretrainedTransformerTokenizer, Token
from transformers import AutoTokenizer, RobertaConfig, RobertaTokenizerFast

from multitask_model.modules.sequence_pairs import SequencePairJoiner
from tests.helpers.tiny_bert import make_tiny_bert

PAIRS = [("the cat sat", "a dog ran on the mat"), ("the dog ran on a mat", "good")]


def make_roberta_tokenizer(directory: Path) -> str:
    """Saves a tokenizer with another padding than 0 and with pairs `<s> a </s></s> b </s>`."""
    directory.mkdir()
    words = ["the", "cat", "sat", "a", "dog", "ran", "on", "mat", "good", "b", "1", "2"]
    letters = sorted({letter for word in words for letter in word})
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "Ġ"]
    tokens = dict.fromkeys([*special, *letters])
    vocabulary = ", ".join(f'"{token}": {index}' for index, token in enumerate(tokens))
    (directory / "vocab.json").write_text(f"{{{vocabulary}}}", encoding="utf-8")
    (directory / "merges.txt").write_text("#version: 0.2\n")
    files: Any = [str(directory / name) for name in ("vocab.json", "merges.txt")]
    RobertaTokenizerFast(*files).save_pretrained(directory)
    RobertaConfig(vocab_size=len(tokens)).save_pretrained(directory)
    return str(directory)


def index(name: str, tokens: List[List[Token]], **options: Any) -> Dict[str, torch.Tensor]:
    """The tensors of a batch of token lists."""
    indexer = PretrainedTransformerIndexer(name, **options)
    batch = Batch([Instance({"text": TextField(row, {"tokens": indexer})}) for row in tokens])
    batch.index_instances(Vocabulary())
    tensors: Any = batch.as_tensor_dict()["text"]
    return tensors["tokens"]


def indexed_pairs(
    name: str, **options: Any
) -> Tuple[Dict[str, torch.Tensor], Dict[str, torch.Tensor]]:
    tokenizer = PretrainedTransformerTokenizer(name, **options)
    first, second = ([tokenizer.tokenize(pair[i]) for pair in PAIRS] for i in (0, 1))
    return index(name, first), index(name, second)


@pytest.fixture(params=["bert", "roberta"])
def name(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    make = make_tiny_bert if request.param == "bert" else make_roberta_tokenizer
    return make(tmp_path / request.param)


@pytest.mark.parametrize("add_special_tokens", [True, False])
def test_pairs_are_those_of_the_tokenizer(name: str, add_special_tokens: bool) -> None:
    first, second = indexed_pairs(name, add_special_tokens=add_special_tokens)
    joined = SequencePairJoiner(name)(first, second)
    expected = AutoTokenizer.from_pretrained(name)(
        [a for a, _ in PAIRS],
        [b for _, b in PAIRS],
        padding=True,
        return_tensors="pt",
        return_token_type_ids=True,
    )
    assert joined.keys() == {"token_ids", "mask", "type_ids"}
    assert joined["token_ids"].tolist() == expected["input_ids"].tolist()
    assert joined["mask"].tolist() == expected["attention_mask"].bool().tolist()
    assert joined["type_ids"].tolist() == expected["token_type_ids"].tolist()


def test_a_bert_pair_has_one_separator_between_the_texts(tmp_path: Path) -> None:
    name = make_tiny_bert(tmp_path)
    joined = SequencePairJoiner(name)(*indexed_pairs(name))
    # [CLS] the cat sat [SEP] a dog ran on the mat [SEP]
    assert joined["token_ids"][0].tolist() == [2, 5, 6, 8, 3, 12, 7, 9, 10, 5, 11, 3]
    assert joined["type_ids"][0].tolist() == [0] * 5 + [1] * 7
    assert joined["token_ids"].dtype == joined["type_ids"].dtype == torch.int64


def test_a_truncated_text_loses_its_first_special_token_only(tmp_path: Path) -> None:
    name = make_tiny_bert(tmp_path)
    tokens = PretrainedTransformerTokenizer(name).tokenize("the cat sat")[:3]  # without [SEP]
    sequences = index(name, [tokens])
    joined = SequencePairJoiner(name)(sequences, sequences)
    assert joined["token_ids"].tolist() == [[2, 5, 6, 3, 5, 6, 3]]


def test_a_text_without_tokens_leaves_the_special_tokens(tmp_path: Path) -> None:
    name = make_tiny_bert(tmp_path)
    tokenizer = PretrainedTransformerTokenizer(name)
    empty, filled = (index(name, [tokenizer.tokenize(text)]) for text in ("", "cat"))
    joined = SequencePairJoiner(name)(empty, filled)
    assert joined["token_ids"].tolist() == [[2, 3, 6, 3]]
    nothing = {key: value[:, :0] for key, value in empty.items()}
    joined = SequencePairJoiner(name)(filled, nothing)
    assert joined["token_ids"].tolist() == [[2, 6, 3, 3]]


def test_inputs_are_not_changed(tmp_path: Path) -> None:
    name = make_tiny_bert(tmp_path)
    first, second = indexed_pairs(name)
    before = {key: value.clone() for key, value in first.items()}
    SequencePairJoiner(name)(first, second)
    assert all(torch.equal(first[key], before[key]) for key in before)


def test_the_tensors_of_another_indexer_are_rejected(tmp_path: Path) -> None:
    name = make_tiny_bert(tmp_path)
    first, _ = indexed_pairs(name)
    message = (
        "A joint text_pair backbone must get the tensors of a token indexer of type "
        "pretrained_transformer without max_length, ['token_ids', 'mask', 'type_ids'], but got "
        "['tokens']. Change the token indexer of the dataset reader."
    )
    with pytest.raises(ConfigurationError) as error:
        SequencePairJoiner(name)(first, {"tokens": first["token_ids"]})
    assert str(error.value) == message


def test_folded_sequences_are_rejected(tmp_path: Path) -> None:
    name = make_tiny_bert(tmp_path)
    tokens = PretrainedTransformerTokenizer(name).tokenize("the cat sat on the mat")
    folded = index(name, [tokens], max_length=4)
    with pytest.raises(ConfigurationError, match="but got .*'segment_concat_mask'"):
        SequencePairJoiner(name)(folded, folded)
