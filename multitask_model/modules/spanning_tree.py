"""The best tree over the nodes of a graph, by the algorithm of Chu, Liu and Edmonds."""

from typing import Dict, List

import numpy


class SpanningTree:
    """
    The tree with the highest sum of scores, by the algorithm of Chu and Liu (1965) and Edmonds
    (1967) in the order of Tarjan (1977, "Finding Optimum Branchings"): a path goes from a word to
    its best head, to the best head of that, and so on. A cycle on the path becomes one node. The
    path ends where it reaches the root or an earlier path.

    The time is O(N²), in operations on rows of N scores.

    # Parameters

    scores : `numpy.ndarray`
        Of shape (N, N): for each word, the score of each word as its head. Word 0 is the root. Its
        scores are ignored, as is the diagonal.

    # Examples

        >>> scores = numpy.array([[0.0, 0.0, 0.0], [2.0, 0.0, 5.0], [1.0, 5.0, 0.0]])
        >>> SpanningTree(scores).heads().tolist()  # 5 + 5 would be a cycle
        [0, 0, 1]
    """

    def __init__(self, scores: numpy.ndarray) -> None:
        size = len(scores)
        self._everything = numpy.arange(size)
        # Nodes are words and, from `size` on, cycles. For each node: the score of each word as its
        # head, and the word of the node that gets this head.
        scores = scores.copy()
        numpy.fill_diagonal(scores, -numpy.inf)
        self._scores = list(scores)
        self._entries = list(numpy.repeat(self._everything, size).reshape(size, size))
        self._words = [[word] for word in range(size)]
        self._node_of = numpy.arange(size)  # the outermost node of each word
        self._best: Dict[int, int] = {}  # the best head of a node
        self._cycle_of: Dict[int, int] = {}
        self._members: Dict[int, List[int]] = {}
        self._is_in_tree = {0}
        for word in range(1, size):
            self._grow(word)

    def heads(self) -> numpy.ndarray:
        """
        # Returns

        `numpy.ndarray`
            Of shape (N,): the head of each word, and 0 for the root.
        """
        heads = numpy.zeros(len(self._everything), dtype=numpy.int64)
        nodes = [node for node in self._is_in_tree if node not in self._cycle_of and node != 0]
        while nodes:
            node = nodes.pop()
            head = self._best[node]
            word = inner = self._entries[node][head]
            heads[word] = head
            # The cycles around the word lose their arc to it; their other nodes keep theirs.
            while inner != node:
                cycle = self._cycle_of[inner]
                nodes += [member for member in self._members[cycle] if member != inner]
                inner = cycle
        return heads

    def _grow(self, word: int) -> None:
        """Follows the best heads from a word to the tree."""
        path: Dict[int, None] = {}  # a set in insertion order
        node = int(self._node_of[word])
        while node not in self._is_in_tree:
            if node in path:
                nodes = list(path)
                cycle = nodes[nodes.index(node) :]
                node = self._contract(cycle)
                path = dict.fromkeys(nodes[: -len(cycle)])
            path[node] = None
            self._best[node] = int(self._scores[node].argmax())
            node = int(self._node_of[self._best[node]])
        self._is_in_tree.update(path)

    def _contract(self, cycle: List[int]) -> int:
        """Makes the cycle one node. An arc into it replaces the arc of the cycle to that word."""
        new = len(self._scores)
        gains = numpy.array([self._scores[n] - self._scores[n][self._best[n]] for n in cycle])
        member = gains.argmax(0)
        words = [word for node in cycle for word in self._words[node]]
        scores = gains[member, self._everything]
        scores[words] = -numpy.inf
        self._scores.append(scores)
        entries = numpy.array([self._entries[node] for node in cycle])
        self._entries.append(entries[member, self._everything])
        self._words.append(words)
        self._node_of[words] = new
        self._members[new] = cycle
        self._cycle_of.update(dict.fromkeys(cycle, new))
        return new
