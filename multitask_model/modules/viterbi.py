"""The most likely tag sequences of a linear-chain conditional random field."""

from typing import List

import torch

from multitask_model.modules.padded_predictions import PADDING


@torch.no_grad()
def decode_viterbi(
    logits: torch.Tensor,
    mask: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
) -> torch.Tensor:
    """
    Finds the tag sequence with the highest score for each sequence, by the algorithm of Viterbi
    (1967). All sequences of the batch are decoded together, without synchronizing with the device.

    # Parameters

    logits : `torch.Tensor`
        Of shape (B, T, C), T > 0: the scores of the tags.
    mask : `torch.Tensor`
        Of shape (B, T), `True` for tokens. The first position of each sequence is a token.
    transitions : `torch.Tensor`
        Of shape (C, C): the scores of a tag (row) before the next tag (column).
    start : `torch.Tensor`
        Of shape (C,): the scores of the first tag.
    end : `torch.Tensor`
        Of shape (C,): the scores of the last tag.

    # Returns

    `torch.Tensor`
        Of shape (B, T), with `PADDING` where there is no token.

    # Examples

        >>> logits, zeros = torch.tensor([[[3.0, 0.0], [0.0, 2.0]]]), torch.zeros(2)
        >>> transitions = torch.tensor([[0.0, -5.0], [0.0, 0.0]])  # tag 1 rarely follows tag 0
        >>> decode_viterbi(logits, torch.tensor([[True, True]]), transitions, zeros, zeros)
        tensor([[0, 0]])
    """
    unchanged = torch.arange(logits.size(-1), device=logits.device)  # (C,)
    to_tag = transitions.t()  # (next tag, tag)
    scores = start + logits[:, 0]  # (B, C)
    origins: List[torch.Tensor] = []  # each of shape (B, C): the best tag before each tag
    for step in range(1, logits.size(1)):
        is_token = mask[:, step].unsqueeze(-1)  # (B, 1)
        best, origin = (scores.unsqueeze(1) + to_tag).max(-1)  # (B, C), from (B, C, C)
        scores = torch.where(is_token, best + logits[:, step], scores)
        origins.append(torch.where(is_token, origin, unchanged))
    tags = [(scores + end).argmax(-1, keepdim=True)]  # each of shape (B, 1), from the last token
    for origin in reversed(origins):
        tags.append(origin.gather(-1, tags[-1]))
    return torch.cat(tags[::-1], dim=-1).masked_fill(~mask, PADDING)
