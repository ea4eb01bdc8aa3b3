"""The `punctuation` tokenizer: words and punctuation, without a language model."""

import re
import unicodedata
from typing import List

from allennlp.data import Token, Tokenizer
from overrides import overrides

_SIMPLE = re.compile(r"[^\W_]+")
_CHUNK = re.compile(r"\S+")


@Tokenizer.register("punctuation")
class PunctuationTokenizer(Tokenizer):
    """
    Splits at whitespace, and makes a token of each punctuation character and symbol: of each
    character in a Unicode category that starts with P or S, such as `.`, `'`, `-`, `_`, `$` and
    emoji. Combining marks stay with the character that they follow. Letters and digits are not
    separated. Needs no language model and no download.

    Registered as a `Tokenizer` with name "punctuation". It is the default of the readers
    `labeled_jsonl`, `conllu`, `columns` and `hf_dataset`.

    # Examples

    >>> PunctuationTokenizer().tokenize("Don't pay $5.50 for B12!")
    [Don, ', t, pay, $, 5, ., 50, for, B12, !]
    """

    @overrides
    def tokenize(self, text: str) -> List[Token]:
        return [token for match in _CHUNK.finditer(text) for token in _split(match)]


def _split(match: "re.Match[str]") -> List[Token]:
    """Splits characters without whitespace between them."""
    chunk, offset = match.group(), match.start()
    if _SIMPLE.fullmatch(chunk):
        return [Token(chunk, idx=offset)]
    starts = [i for i in range(len(chunk)) if i == 0 or _starts_token(chunk, i)]
    return [
        Token(chunk[start:end], idx=offset + start)
        for start, end in zip(starts, [*starts[1:], len(chunk)])
    ]


def _starts_token(chunk: str, index: int) -> bool:
    kind = unicodedata.category(chunk[index])[0]
    if kind in "MC":  # combining marks, and format characters such as the zero-width joiner
        return False
    previous = index - 1
    while previous > 0 and unicodedata.category(chunk[previous])[0] in "MC":
        previous -= 1
    return kind in "PS" or unicodedata.category(chunk[previous])[0] in "PS"
