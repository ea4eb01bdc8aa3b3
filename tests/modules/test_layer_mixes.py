"""Mixes of layers of several types of numbers."""

import pytest
import torch
from allennlp.modules import ScalarMix

from multitask_model.modules.layer_mixes import mix_layers


@pytest.mark.parametrize("autocast", [False, True])
def test_layers_of_different_types_are_promoted(autocast: bool) -> None:
    layers = [torch.full((2, 3), 1.001), torch.full((2, 3), 3.0, dtype=torch.bfloat16)]
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        (mixed,) = mix_layers([ScalarMix(2)], layers)
    torch.testing.assert_close(mixed, torch.full((2, 3), 2.0005))


def test_no_mix_shares_memory_with_another_one() -> None:
    one, other = mix_layers([ScalarMix(1), ScalarMix(1)], [torch.tensor([1.0])])
    version = other._version
    one.mul_(2.0)
    assert (one.item(), other.item(), other._version) == (2.0, 1.0, version)
