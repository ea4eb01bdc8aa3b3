"""Pooling the vectors of word pieces to those of words."""

from typing import List, Sequence

import torch

from multitask_model.compat.autocast import no_autocast


def pool_word_pieces(
    layers: Sequence[torch.Tensor], offsets: torch.Tensor, pooling: str
) -> List[torch.Tensor]:
    """
    Pools several layers as `pretrained_transformer_mismatched` pools one. Each is multiplied by the
    weights of the pieces in every word, which takes a fraction of the time of gathering the pieces.

        >>> pieces = torch.tensor([[[0.0], [2.0], [3.0], [4.0]]])
        >>> offsets = torch.tensor([[[0, 0], [1, 3]]])
        >>> [words.flatten().tolist() for words in pool_word_pieces([pieces], offsets, "avg")]
        [[0.0, 3.0]]

    # Parameters

    layers : `Sequence[torch.Tensor]`
        Each of shape (B, P, D), with P word pieces.
    offsets : `torch.Tensor`
        Shape: (B, T, 2). The first and the last piece of each of T words. The last is before the
        first for a word without pieces, whose vector is 0.
    pooling : `str`
        `"avg"` or `"first"`, as the `sub_token_mode` of the embedder.

    # Returns

    `List[torch.Tensor]`
        Each of shape (B, T, D).
    """
    positions = torch.arange(layers[0].shape[1], device=offsets.device)
    first, last = offsets.unsqueeze(-1).unbind(2)  # each of shape (B, T, 1)
    is_in_word = (first <= positions) & (positions <= last)  # (B, T, P)
    if pooling == "first":
        is_in_word &= positions == first
    weights = is_in_word / is_in_word.sum(-1, keepdim=True).clamp(min=1)
    is_unused = ~is_in_word.any(1).unsqueeze(-1)  # (B, P, 1)
    with no_autocast(offsets.device):
        # A piece of no word, such as padding, may be infinite.
        return [weights.to(x.dtype) @ x.masked_fill(is_unused, 0) for x in layers]
