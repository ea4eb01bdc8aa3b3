"""Which heads a word may have in a dependency tree, and errors for labels and scores."""

import torch


def candidates(mask: torch.Tensor) -> torch.Tensor:
    """`True` (B, T, T + 1) where the head of a word may be: the root, and all other words."""
    length = mask.size(1)
    is_itself = torch.eye(length, length + 1, device=mask.device).roll(1, dims=1).bool()
    is_word = torch.nn.functional.pad(mask, (1, 0), value=True)  # (B, T + 1), with the root
    return is_word.unsqueeze(1) & ~is_itself


def are_heads(heads: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """`True` (B, T) where `heads` are possible for a word at that position."""
    own = torch.arange(1, mask.size(1) + 1, device=mask.device)
    return (heads >= 0) & (heads <= mask.sum(-1, keepdim=True)) & (heads != own)


def check_heads(heads: torch.Tensor, is_invalid: torch.Tensor, mask: torch.Tensor) -> None:
    """
    # Raises

    `ValueError`
        If `is_invalid`, of shape (B, T), is `True` for any word.
    """
    if bool(is_invalid.any()):
        row, position = is_invalid.nonzero()[0].tolist()
        head, length = int(heads[row, position]), int(mask[row].sum())
        raise ValueError(
            "The head of a word must be 0 for the root or another word of the sentence, counted "
            f"from 1, but got {head} for word {position + 1} of row {row}, which has {length} "
            "words. Rows are counted from 0. Correct head_indices in the data."
        )


def check_finite(scores: torch.Tensor, included: torch.Tensor, what: str) -> None:
    """
    # Raises

    `ValueError`
        If scores of shape (B, ...) are NaN or infinite where `included` is `True`.
    """
    is_invalid = included & ~torch.isfinite(scores)
    if bool(is_invalid.any()):
        found, row = scores[is_invalid][0].item(), int(is_invalid.nonzero()[0, 0])
        raise ValueError(
            f"A dependency_parser needs finite scores of {what}, but got {found} in row {row}, "
            "counted from 0. The model has diverged: its parameters or the outputs of the backbone "
            "are NaN or too large. Train it with a lower learning rate or clipped gradients."
        )
