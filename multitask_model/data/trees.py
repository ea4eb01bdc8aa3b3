"""Whether the heads of words are a tree."""

from typing import Any, Dict, List, Sequence

from multitask_model.errors import listing, shown

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
            f"token of the text, but it is {shown(heads)}. Correct it, or leave it out."
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
            f"{listing(words[root] for root in roots)}. {_MEND_TREE}",
        )
    cycle = cycle_in(heads)
    if cycle:
        raise WordError(
            cycle[0] - 1,
            "The heads of a word must lead to the root, but those of "
            f"{listing(words[word - 1] for word in cycle)} lead back to word {cycle[0]}. "
            f"{_MEND_TREE}",
        )


def cycle_in(heads: Sequence[int]) -> List[int]:
    """
    Words from each of which the next is the head, and from the last of which the first is; none if
    all heads lead to the root. Words are counted from 1, and 0 is the root.
    """
    reach_root = {0}
    for word in range(1, len(heads) + 1):
        path: Dict[int, None] = {}  # in order
        while word not in reach_root and word not in path:
            path[word] = None
            word = heads[word - 1]
        if word in path:
            words = list(path)
            return words[words.index(word) :]
        reach_root.update(path)
    return []
