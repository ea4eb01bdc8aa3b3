"""Dependency trees: which heads are valid, and where the first invalid one is reported."""

import re
from pathlib import Path
from typing import Any, List

import pytest

from multitask_model.data import ConlluReader
from tests.helpers.sentences import BLANK, labels_of, write_conllu

RANGE = (
    "The head of a word must be 0 or the position of another of the 4 words, but got {} for word "
    "4, 'd'."
)
ROOT = "A tree must have exactly 1 word with the head 0, but got {}."
CYCLE = "The heads must lead from every word to the root, but got the cycle {} at word {}."
ADVICE = "Correct the heads, or remove 'head_indices' from the reader's fields."


@pytest.mark.parametrize(
    ("heads", "word", "message"),
    [
        ([0, 1, 1, 5], 4, RANGE.format(5)),
        ([0, 1, 1, -1], 4, RANGE.format(-1)),
        ([0, 1, 1, 4], 4, RANGE.format(4)),
        ([2, 3, 4, 1], 1, ROOT.format("0: []")),
        ([2, 0, 2, 0], 4, ROOT.format("2: ['b', 'd']")),
        ([0, 1, 4, 3], 3, CYCLE.format("['c', 'd']", 3)),
        ([2, 3, 2, 0], 2, CYCLE.format("['b', 'c']", 2)),
    ],
)
def test_heads_that_are_not_a_tree_are_an_error(
    tmp_path: Path, heads: List[int], word: int, message: str
) -> None:
    message = re.escape(f"{message} {ADVICE}")
    with pytest.raises(ValueError, match=f"^{message}$"):
        ConlluReader().text_to_instance(list("abcd"), head_indices=heads)
    # A comment and a multiword token precede the words.
    rows = [f"{i} {form} x X X _ {head} x _ _" for i, form, head in zip("1234", "abcd", heads)]
    path = write_conllu(tmp_path, "\n".join(["# x", "1-2 ab" + BLANK, *rows]))
    with pytest.raises(ValueError, match=f"^{re.escape(f'{path}, line {2 + word}: ')}{message}$"):
        list(ConlluReader().read(path))


@pytest.mark.parametrize("heads", [[0], [2, 0], [0, 1], [2, 3, 0, 3], [0, 1, 2, 3], [4, 1, 1, 0]])
def test_heads_that_are_a_tree_are_kept(heads: List[int]) -> None:
    instance = ConlluReader().text_to_instance(list("abcd")[: len(heads)], head_indices=heads)
    assert labels_of(instance, "head_indices") == heads


@pytest.mark.parametrize(
    ("heads", "shown"),
    [([0], "[0] (1 items)"), ([0, True], "[0, True] (2 items)"), ("01", "'01'")],
)
def test_heads_that_are_not_an_integer_per_word_are_an_error(heads: Any, shown: str) -> None:
    message = (
        "The label 'head_indices' must be a list of 2 integers, one for each token of the text, "
        f"but got {shown}. Correct it, or leave it out."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ConlluReader().text_to_instance(["a", "b"], head_indices=heads)
