"""Decoding of dependency trees from arc scores, and detection of cycles."""

from typing import Dict, List, Sequence

import numpy
import torch

from multitask_model.modules.spanning_tree import SpanningTree


def decode_mst(scores: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """
    Finds the tree with the highest sum of arc scores for each sentence, among trees with exactly
    one child of the root, by the algorithm of Chu and Liu (1965) and Edmonds (1967).

    # Parameters

    scores : `torch.Tensor`
        Of shape (B, T, T + 1): for each word, the scores of the root and of each word as its head.
        The score of a word as its own head is ignored.
    mask : `torch.Tensor`
        Of shape (B, T), `True` for words, which precede all padding.

    # Returns

    `torch.Tensor`
        Of shape (B, T): the head of each word, counted from 1; 0 for the root and for padding.

    # Examples

        >>> scores = torch.tensor([[[2.0, 0.0, 5.0], [1.0, 5.0, 0.0]]])
        >>> decode_mst(scores, torch.tensor([[True, True]]))  # 5 + 5 would be a cycle
        tensor([[0, 1]])
    """
    values = scores.detach().double().cpu().numpy()
    heads = numpy.zeros(mask.shape, dtype=numpy.int64)
    for row, length in enumerate(mask.sum(-1).tolist()):
        heads[row, :length] = _decode_sentence(values[row, :length, : length + 1])
    return torch.from_numpy(heads).to(scores.device)


def _decode_sentence(scores: numpy.ndarray) -> numpy.ndarray:
    """Decodes one sentence of T words: scores of shape (T, T + 1), heads of shape (T,)."""
    length = len(scores)
    if length == 0:
        return numpy.zeros(0, dtype=numpy.int64)
    scores = scores.copy()
    scores[numpy.arange(length), numpy.arange(1, length + 1)] = -numpy.inf  # a word's own head
    greedy = scores.argmax(-1)
    if (greedy == 0).sum() == 1 and not find_cycle(greedy.tolist()):
        return numpy.asarray(greedy)  # if the best heads form a tree, it is the best tree
    return SpanningTree(_with_penalty(scores)).heads()[1:]


def _with_penalty(scores: numpy.ndarray) -> numpy.ndarray:
    """
    The scores of T words, of shape (T, T + 1), as those of a graph of shape (T + 1, T + 1), with a
    penalty for each child of the root. It exceeds any gain from a second child.
    """
    length, is_finite = len(scores), numpy.isfinite(scores)
    finite = scores[is_finite] if is_finite.any() else numpy.zeros(1)
    # A tree with an arc that has no score (minus infinity or NaN) is worse than any tree without.
    lowest = -(length + 1) * (float(numpy.ptp(finite)) or 1.0)
    nodes = numpy.full((length + 1, length + 1), lowest)
    # At most 0. A number that is added to all scores changes no choice.
    nodes[1:] = numpy.nan_to_num(scores - finite.max(), nan=lowest, posinf=0.0, neginf=lowest)
    nodes[:, 0] += 2 * lowest
    return nodes


def find_cycle(heads: Sequence[int]) -> List[int]:
    """
    # Parameters

    heads : `Sequence[int]`
        The head of each word, counted from 1; 0 for the root.

    # Returns

    `List[int]`
        The words of one cycle: each is followed by its head, and the head of the last is the first.
        Empty if every word leads to the root.

    # Examples

        >>> find_cycle([0, 3, 2])
        [2, 3]
        >>> find_cycle([0, 1, 2])
        []
    """
    reach_root = {0}
    for word in range(1, len(heads) + 1):
        path: Dict[int, None] = {}  # a set in insertion order
        while word not in reach_root and word not in path:
            path[word] = None
            word = heads[word - 1]
        if word in path:
            words = list(path)
            return words[words.index(word) :]
        reach_root.update(path)
    return []
