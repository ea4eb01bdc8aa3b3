"""The longest common substring of two strings, in linear time."""

from typing import Dict, List, NamedTuple


class Match(NamedTuple):
    """
    Where two strings have a common substring, and its length.

        >>> match = SuffixAutomaton("New York").longest_common_substring("from York")
        >>> match, "from York"[match.start :], "New York"[match.start_in_text :]
        (Match(start=4, start_in_text=3, size=5), ' York', ' York')
    """

    start: int
    start_in_text: int
    size: int


class SuffixAutomaton:
    """
    The suffix automaton of a string (Blumer et al., 1985, "The smallest automaton recognizing the
    subwords of a text"). It is built in linear time.

    # Parameters

    text : `str`

    # Examples

    >>> SuffixAutomaton("city").longest_common_substring("cities")
    Match(start=0, start_in_text=0, size=3)
    """

    def __init__(self, text: str) -> None:
        self.text = text
        # A state is the set of the substrings that end at the same positions. The first state is
        # that of the empty string.
        self._next: List[Dict[str, int]] = [{}]
        self._suffix: List[int] = [-1]
        """The state of the longest suffix that ends at more positions."""
        self._length: List[int] = [0]
        """The length of the longest substring."""
        self._first_end: List[int] = [0]
        """The end of the first occurrence."""
        state = 0
        for end, character in enumerate(text, start=1):
            state = self._append(character, state, end)

    def _append(self, character: str, last: int, end: int) -> int:
        new = self._add_state({}, end, end)
        state = last
        while state >= 0 and character not in self._next[state]:
            self._next[state][character] = new
            state = self._suffix[state]
        self._suffix[new] = self._suffix_state(character, state) if state >= 0 else 0
        return new

    def _suffix_state(self, character: str, state: int) -> int:
        """Returns the state of a string and the character, split from a longer one if necessary."""
        target = self._next[state][character]
        length = self._length[state] + 1
        if self._length[target] == length:
            return target
        split = self._add_state(dict(self._next[target]), length, self._first_end[target])
        self._suffix[split] = self._suffix[target]
        self._suffix[target] = split
        while state >= 0 and self._next[state].get(character) == target:
            self._next[state][character] = split
            state = self._suffix[state]
        return split

    def _add_state(self, following: Dict[str, int], length: int, first_end: int) -> int:
        self._next.append(following)
        self._suffix.append(-1)
        self._length.append(length)
        self._first_end.append(first_end)
        return len(self._next) - 1

    def longest_common_substring(self, other: str) -> Match:
        """
        Returns the longest common substring. If there are several, it is the first in `other`, and
        its first occurrence in the text.
        """
        best, state, size = Match(0, 0, 0), 0, 0
        for end, character in enumerate(other, start=1):
            while state and character not in self._next[state]:
                state = self._suffix[state]
                size = self._length[state]
            if character in self._next[state]:
                state, size = self._next[state][character], size + 1
            if size > best.size:
                best = Match(end - size, self._first_end[state] - size, size)
        return best
