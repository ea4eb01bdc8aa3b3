"""Bilinear scores of pairs of vectors, by matrix products."""

import torch


def project_bilinear(bilinear: torch.nn.Bilinear, left: torch.Tensor) -> torch.Tensor:
    """
    The products of vectors with the matrix of each class: the first half of a `torch.nn.Bilinear`,
    to share between several calls of `score_bilinear`.

    A call of the `Bilinear` has the same result, but its gradient takes several times as long on a
    CPU.

    # Parameters

    bilinear : `torch.nn.Bilinear`
    left : `torch.Tensor`
        Of shape (B, T, D).

    # Returns

    `torch.Tensor`
        Of shape (B, T, C, E), where E is the size of the second input.
    """
    return torch.einsum("btd,cde->btce", left, bilinear.weight)


def score_bilinear(
    bilinear: torch.nn.Bilinear, projected: torch.Tensor, right: torch.Tensor
) -> torch.Tensor:
    """
    # Parameters

    bilinear : `torch.nn.Bilinear`
    projected : `torch.Tensor`
        What `project_bilinear` returned, of shape (B, T, C, E).
    right : `torch.Tensor`
        Of shape (B, T, E).

    # Returns

    `torch.Tensor`
        The scores `bilinear(left, right)`, of shape (B, T, C).

    # Examples

        >>> bilinear, left = torch.nn.Bilinear(2, 3, 4), torch.ones(1, 5, 2)
        >>> right = torch.ones(1, 5, 3)
        >>> scores = score_bilinear(bilinear, project_bilinear(bilinear, left), right)
        >>> torch.allclose(scores, bilinear(left, right), atol=1e-6)
        True
    """
    return (projected @ right.unsqueeze(-1)).squeeze(-1) + bilinear.bias
