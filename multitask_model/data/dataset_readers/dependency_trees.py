"""Whether the heads of words are a tree."""

from typing import Any, List

from multitask_model.errors import format_names, format_value
from multitask_model.modules.tree_decoding import find_cycle

HEAD_INDICES = "head_indices"

_MEND_TREE = f"Correct the heads, or leave {HEAD_INDICES!r} out of the reader's fields."


class WordError(ValueError):
    def __init__(self, position: int, message: str) -> None:
        super().__init__(message)
        self.position = position


def check_tree(heads: Any, words: List[str]) -> None:
    count = len(words)
    if not isinstance(heads, list) or [type(head) for head in heads] != [int] * count:
        raise ValueError(
            f"The label {HEAD_INDICES!r} must be a list of {count} whole numbers, one for each "
            f"token of the text, but it is {format_value(heads)}. Correct it, or leave it out."
        )
    for position, head in enumerate(heads):
        if not 0 <= head <= count or head == position + 1:
            raise WordError(
                position,
                f"The head of a word must be 0 or another one of the {count} words, but that of "
                f"word {position + 1}, {words[position]!r}, is {head}. {_MEND_TREE}",
            )
    roots = [position for position, head in enumerate(heads) if head == 0]
    if len(roots) != 1:
        raise WordError(
            roots[1] if roots else 0,
            f"A tree must have exactly 1 word with the head 0, but this one has {len(roots)}: "
            f"{format_names(words[root] for root in roots)}. {_MEND_TREE}",
        )
    cycle = find_cycle(heads)
    if cycle:
        raise WordError(
            cycle[0] - 1,
            "The heads of a word must lead to the root, but those of "
            f"{format_names(words[word - 1] for word in cycle)} lead back to word {cycle[0]}. "
            f"{_MEND_TREE}",
        )
