"""Dependency trees by exhaustive search."""

import itertools
from typing import Tuple

import torch


def is_tree(heads: Tuple[int, ...]) -> bool:
    """Whether the root has exactly one child, and every word leads to the root."""
    if heads.count(0) != 1:
        return False
    for word in range(1, len(heads) + 1):
        for _ in heads:
            word = heads[word - 1] if word else 0
        if word:
            return False
    return True


def best_tree(scores: torch.Tensor) -> Tuple[int, ...]:
    """The most likely tree for scores (T, T + 1), normalized over the heads of each word."""
    length = len(scores)
    trees = filter(is_tree, itertools.product(range(length + 1), repeat=length))
    likelihoods = scores.double().log_softmax(-1)
    return max(trees, key=lambda heads: likelihoods[range(length), list(heads)].sum().item())
