"""The text of tokens, and of the spans that a head predicts."""

from typing import Any, Dict, List, Optional, Sequence

import numpy
from allennlp.data import Instance, Token
from allennlp.data.fields import TextField

SPANS = "spans"
"""The output of a head whose items have the keys `start` and `end`, which count tokens."""


def text_of(tokens: Sequence[Token]) -> str:
    """
    Joins tokens by single spaces, but not tokens that had no space between them in the original
    text, as far as their offsets say so.

        >>> text_of([Token("do", idx=0), Token("n't", idx=2), Token("go", idx=7), Token("!")])
        "don't go !"
    """
    text = "".join(
        str(token) + (" " if _is_space_after(token, following) else "")
        for token, following in zip(tokens, tokens[1:])
    )
    return text + str(tokens[-1]) if tokens else ""


def _is_space_after(token: Token, following: Token) -> bool:
    if token.idx is None or following.idx is None:
        return True
    return following.idx > token.idx + len(str(token))


def add_texts(spans: Any, tokens: Sequence[Token]) -> Any:
    """
    Adds the `text` to each span of a list. Anything else is returned as it is.

        >>> tokens = [Token("New", idx=0), Token("York", idx=4), Token("!", idx=8)]
        >>> add_texts([{"type": "city", "start": 0, "end": 2}], tokens)
        [{'type': 'city', 'start': 0, 'end': 2, 'text': 'New York'}]
    """
    if not isinstance(spans, (list, tuple)) or not all(map(_counts_tokens, spans)):
        return spans
    return [{**span, "text": text_of(tokens[span["start"] : span["end"]])} for span in spans]


def _counts_tokens(span: object) -> bool:
    bounds = [span.get("start"), span.get("end")] if isinstance(span, dict) else [None]
    return all(isinstance(bound, (int, numpy.integer)) for bound in bounds)


def main_text(instance: Instance, arguments: Dict[str, str]) -> Optional[List[Token]]:
    """
    Returns the tokens that heads predict spans of: the backbone's argument `text`, or its only text
    field.

    # Parameters

    instance : `Instance`
    arguments : `Dict[str, str]`
        The argument of the backbone for each field that it takes.
    """
    texts = {
        argument: field.tokens
        for name, argument in arguments.items()
        for field in [instance.fields[name]]
        if isinstance(field, TextField)
    }
    if len(texts) == 1:
        return list(next(iter(texts.values())))
    return texts.get("text")
