"""Validates that the heads of the words of a sentence form a dependency tree."""

from typing import List

from multitask_model.data.dataset_readers.field_names import HEAD_INDICES
from multitask_model.errors import format_names, format_value
from multitask_model.modules.tree_decoding import find_cycle

_ADVICE = f"Correct the heads, or remove {HEAD_INDICES!r} from the reader's fields."


class WordError(ValueError):
    """
    An error in the annotation of one word.

    # Parameters

    position : `int`
        The index of the word in its sentence, from 0.
    message : `str`
    """

    def __init__(self, position: int, message: str) -> None:
        super().__init__(message)
        self.position = position


def validate_tree(heads: object, words: List[str]) -> List[int]:
    """
    Returns a copy of `heads` if they are a dependency tree.

    # Parameters

    heads : `object`
        A list with the position of each word's head, from 1; 0 for the root of the tree.
    words : `List[str]`

    # Raises

    `ValueError`
        If `heads` is not a list with an integer for each word.
    `WordError`
        If `heads` has other positions, several roots or none, or a cycle.
    """
    tree = _parse_heads(heads, len(words))
    _check_range(tree, words)
    _check_root(tree, words)
    cycle = find_cycle(tree)
    if cycle:
        raise WordError(
            cycle[0] - 1,
            "The heads must lead from every word to the root, but got the cycle "
            f"{format_names(words[word - 1] for word in cycle)} at word {cycle[0]}. {_ADVICE}",
        )
    return tree


def _parse_heads(heads: object, num_words: int) -> List[int]:
    # `isinstance` would accept booleans as integers.
    if not isinstance(heads, list) or [type(head) for head in heads] != [int] * num_words:
        raise ValueError(
            f"The label {HEAD_INDICES!r} must be a list of {num_words} integers, one for each "
            f"token of the text, but got {format_value(heads)}. Correct it, or leave it out."
        )
    return list(heads)


def _check_range(heads: List[int], words: List[str]) -> None:
    for index, head in enumerate(heads):
        if not 0 <= head <= len(words) or head == index + 1:
            raise WordError(
                index,
                f"The head of a word must be 0 or the position of another of the {len(words)} "
                f"words, but got {head} for word {index + 1}, {words[index]!r}. {_ADVICE}",
            )


def _check_root(heads: List[int], words: List[str]) -> None:
    roots = [index for index, head in enumerate(heads) if head == 0]
    if len(roots) != 1:
        raise WordError(
            roots[1] if roots else 0,
            f"A tree must have exactly 1 word with the head 0, but got {len(roots)}: "
            f"{format_names(words[root] for root in roots)}. {_ADVICE}",
        )
