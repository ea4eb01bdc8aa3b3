"""The same methods in TorchJD give the same values and gradients."""

from typing import Any, Callable, Dict, Iterator, List

import pytest
import torch

from multitask_model.weighting import LossWeighting
from tests.helpers.weightings import CASES, take_step

scalarization = pytest.importorskip("torchjd.scalarization")  # not for Python 3.10 and earlier

HEADS = ["a", "b", "c"]
STEPS = 6
ORACLES: Dict[str, Callable[[], Any]] = {
    "sum": lambda: scalarization.Sum(),
    "mean": lambda: scalarization.Mean(),
    "uncertainty": lambda: scalarization.UW(len(HEADS)),
    "dynamic_average": lambda: scalarization.DWA(),
    "random": lambda: scalarization.Random(),
    "geometric": lambda: scalarization.GeometricMean(),
    "imtl_l": lambda: scalarization.IMTLL(len(HEADS)),
    "famo": lambda: scalarization.FAMO(len(HEADS)),
    "smooth_tchebycheff": lambda: scalarization.STCH(mu=0.1),
}


def steps_of_ours(name: str, batches: List[torch.Tensor]) -> Iterator[torch.Tensor]:
    """The joint loss and the gradients of each batch, of shape `(1 + H,)`, trained with SGD."""
    torch.manual_seed(0)
    weighting = LossWeighting.by_name(name)()
    weighting.set_heads(HEADS)
    for batch in batches:
        losses = [value.clone().requires_grad_() for value in batch]
        joint = weighting(dict(zip(HEADS, losses)))
        joint.backward()
        yield torch.stack([joint.detach(), *(loss.grad for loss in losses)])
        take_step(weighting)
        weighting.finish_epoch()


def steps_of_torchjd(name: str, batches: List[torch.Tensor]) -> Iterator[torch.Tensor]:
    torch.manual_seed(0)
    scalarizer = ORACLES[name]()
    for number, batch in enumerate(batches):
        if name == "famo" and number:
            scalarizer.update(batch)  # the losses after the last step are those of the next batch
        values = batch.clone().requires_grad_()
        joint = scalarizer(values)
        joint.backward()
        assert values.grad is not None
        yield torch.cat([joint.detach().reshape(1), values.grad])
        take_step(scalarizer)
        if name == "dynamic_average":
            scalarizer.step()


def test_every_weighting_has_an_oracle() -> None:
    assert sorted(ORACLES) == sorted(CASES)


@pytest.mark.parametrize("name", ORACLES)
def test_values_and_gradients_are_those_of_torchjd(name: str) -> None:
    generator = torch.Generator().manual_seed(1)
    batches = [torch.rand(len(HEADS), generator=generator) + 0.1 for _ in range(STEPS)]
    ours = torch.stack(list(steps_of_ours(name, batches)))
    theirs = torch.stack(list(steps_of_torchjd(name, batches)))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)
