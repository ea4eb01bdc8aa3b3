"""The methods of tokenizers that AllenNLP calls."""

from typing import Any

import pytest
from transformers import AutoTokenizer

import multitask_model  # noqa: F401  (applies the patches)
from multitask_model_startup.transformers import build_inputs_with_special_tokens, encode_plus
from tests.helpers.tiny_tokenizers import make_tiny_tokenizer


@pytest.fixture(name="bert", scope="module")
def _bert(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return AutoTokenizer.from_pretrained(make_tiny_tokenizer("bert", tmp_path_factory.mktemp("t")))


@pytest.fixture(name="modernbert", scope="module")
def _modernbert(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A tokenizer without a class of its own."""
    directory = make_tiny_tokenizer("modernbert", tmp_path_factory.mktemp("t"))
    return AutoTokenizer.from_pretrained(directory)


def test_encode_plus_calls_the_tokenizer(bert: Any) -> None:
    encoded = encode_plus(bert, "the cat", "a dog", max_length=6, truncation=True)
    assert encoded["input_ids"] == [1, 5, 2, 12, 7, 2]
    assert encoded["token_type_ids"] == [0, 0, 0, 1, 1, 1]
    assert bert.encode_plus("the cat")["input_ids"] == [1, 5, 6, 2]


def test_special_tokens_are_added_to_ids(bert: Any) -> None:
    assert build_inputs_with_special_tokens(bert, [7, 8, 9]) == [1, 7, 8, 9, 2]
    assert build_inputs_with_special_tokens(bert, []) == [1, 2]


def test_special_tokens_are_added_to_pairs_of_ids(bert: Any) -> None:
    assert build_inputs_with_special_tokens(bert, [7, 8], [9]) == [1, 7, 8, 2, 9, 2]
    assert build_inputs_with_special_tokens(bert, [7, 8], []) == [1, 7, 8, 2, 2]


def test_a_tokenizer_without_a_class_of_its_own_adds_special_tokens(modernbert: Any) -> None:
    assert modernbert.build_inputs_with_special_tokens([7, 8]) == [1, 7, 8, 2]
