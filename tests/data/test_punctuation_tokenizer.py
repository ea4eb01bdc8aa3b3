"""The `punctuation` tokenizer: where it splits, and the positions of its tokens."""

from typing import List

import pytest
from allennlp.data import Tokenizer
from hypothesis import given
from hypothesis import strategies as st

from multitask_model import PunctuationTokenizer


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("What a day!", ["What", "a", "day", "!"]),
        ("Don't", ["Don", "'", "t"]),
        ("so-so a_b", ["so", "-", "so", "a", "_", "b"]),
        ("$5.50...", ["$", "5", ".", "50", ".", ".", "."]),
        ("B12 \u00bd", ["B12", "\u00bd"]),
        (" a\tb\n\u00a0c ", ["a", "b", "c"]),
        # Combining marks stay with their character, also with a symbol.
        ("e\u0301te\u0301,", ["e\u0301te\u0301", ","]),
        ("हिन्दी भाषा।", ["हिन्दी", "भाषा", "।"]),
        ("\u2764\ufe0fa", ["\u2764\ufe0f", "a"]),
        ("我爱你。", ["我爱你", "。"]),
        ("", []),
        (" \n", []),
    ],
)
def test_words_and_punctuation_are_tokens(text: str, tokens: List[str]) -> None:
    assert [token.text for token in PunctuationTokenizer().tokenize(text)] == tokens


@given(text=st.text())
def test_tokens_cover_everything_but_whitespace(text: str) -> None:
    tokens = PunctuationTokenizer().tokenize(text)
    assert "".join(str(token) for token in tokens) == "".join(text.split())
    for token in tokens:
        assert token.idx is not None
        assert text[token.idx : token.idx + len(str(token))] == str(token)


def test_the_tokenizer_has_a_type_name() -> None:
    assert Tokenizer.by_name("punctuation") is PunctuationTokenizer
