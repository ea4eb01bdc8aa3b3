"""Mixes of the layers of a `text` backbone."""

import functools
from typing import Dict, Iterable, List, Sequence

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.modules import ScalarMix

from multitask_model.compat.autocast import no_autocast
from multitask_model.errors import format_names


def mix_layers(
    mixes: Iterable[ScalarMix], layers: Sequence[torch.Tensor]
) -> Sequence[torch.Tensor]:
    """
    Computes several mixes of the same layers, as each `ScalarMix` would, by a matrix product each.

        >>> layers = [torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 6.0]])]
        >>> [mixed.tolist() for mixed in mix_layers([ScalarMix(2), ScalarMix(2)], layers)]
        [[[2.0, 4.0]], [[2.0, 4.0]]]

    # Parameters

    mixes : `Iterable[ScalarMix]`
        N mixes without a layer norm.
    layers : `Sequence[torch.Tensor]`
        L layers of the same shape.

    # Returns

    `Sequence[torch.Tensor]`
        N tensors of the shape of a layer.
    """
    mixes = list(mixes)
    if not mixes:
        return []
    dtypes = [mixes[0].gamma.dtype, *(layer.dtype for layer in layers)]
    dtype = functools.reduce(torch.promote_types, dtypes)
    stacked = torch.stack([layer.to(dtype) for layer in layers])  # (L, ...)
    with no_autocast(stacked.device):
        return [torch.tensordot(_weights(mix).to(dtype), stacked, dims=1) for mix in mixes]


def _weights(mix: ScalarMix) -> torch.Tensor:
    """The weights of the layers. Shape: (L,)"""
    return mix.gamma * torch.cat([*mix.scalar_parameters]).softmax(0)


def check_layer_mixes(names: List[str], output_layers: Dict[str, int], dims: List[int]) -> None:
    """
    # Raises

    `ConfigurationError`
        If a name is used twice or is that of the mask, or the layers have different sizes.
    """
    used = [*output_layers, *names, "encoded_text_mask"]
    repeated = sorted({name for name in names if used.count(name) > 1})
    if repeated:
        raise ConfigurationError(
            "layer_mixes must hold names that no other output of the backbone has, but got "
            f"{format_names(repeated)} more than once among {format_names(used)}. Rename it."
        )
    if names and len(set(dims)) > 1:
        raise ConfigurationError(
            f"layer_mixes needs layers of the same size, but got {dims}. Give the encoder the "
            "output size of the embedder, or use output_layers."
        )
