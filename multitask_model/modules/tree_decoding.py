"""The most likely trees over the words of texts."""

from typing import Dict, List, Sequence

import numpy
import torch
from allennlp.nn.chu_liu_edmonds import decode_mst as allennlp_decode_mst


def decode_mst(scores: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """
    For each text the tree with the greatest sum of scores, of those with exactly one word at the
    root, by the algorithm of Chu and Liu (1965) and Edmonds (1967).

    # Parameters

    scores : `torch.Tensor`
        Of shape (B, T, T + 1): how well the root, and then each word, would do as the head of a
        word. Scores of words as their own heads do not matter.
    mask : `torch.Tensor`
        Of shape (B, T), `True` where there is a word, from the first column on.

    # Returns

    `torch.Tensor`
        Of shape (B, T): the head of each word, counted from 1; 0 for the root, and for padding.
    """
    values = scores.detach().double().cpu().numpy()
    heads = numpy.zeros(mask.shape, dtype=numpy.int64)
    for row, length in enumerate(mask.sum(-1).tolist()):
        heads[row, :length] = _best_tree(values[row, :length, : length + 1])
    return torch.from_numpy(heads).to(scores.device)


def _best_tree(scores: numpy.ndarray) -> numpy.ndarray:
    """The same for one text of T words: scores of shape (T, T + 1), heads of shape (T,)."""
    length = len(scores)
    if length == 0:
        return numpy.zeros(0, dtype=numpy.int64)
    scores = scores.copy()
    scores[numpy.arange(length), numpy.arange(1, length + 1)] = -numpy.inf  # its own head
    best = scores.argmax(-1)
    if (best == 0).sum() == 1 and not find_cycle(best.tolist()):
        return best  # nothing could be better
    finite = scores[numpy.isfinite(scores)]
    lowest = finite.min() - 1.0
    energy = numpy.full((length + 1, length + 1), lowest)  # (heads, words), the root first
    energy[:, 1:] = numpy.maximum(scores, lowest).T
    # A second word at the root would do better below the first, whatever its scores are.
    energy[0] -= finite.max() - lowest
    heads, _ = allennlp_decode_mst(energy, length + 1, has_labels=False)
    return heads[1:]


def find_cycle(heads: Sequence[int]) -> List[int]:
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
