"""The mean loss of each component."""

import gc
import weakref
from pathlib import Path
from typing import Union

import pytest
import torch

from multitask_model.training.metrics.mean_losses import MAX_PENDING, MeanLosses
from tests.helpers.multitask import number


def test_losses_are_averaged_by_component() -> None:
    losses = MeanLosses()
    for name, loss in (("b", 1.0), ("a", 7.0), ("b", 4.0)):
        losses.add(name, torch.tensor(loss))
    assert list(losses.get().items()) == [("b", 2.5), ("a", 7.0)]


@pytest.mark.parametrize("loss", [2.0, torch.tensor(2.0)], ids=["number", "tensor"])
def test_reading_does_not_change_the_mean(loss: Union[float, torch.Tensor]) -> None:
    losses = MeanLosses()
    for _ in range(3):
        losses.add("a", loss)
        assert losses.get() == {"a": 2.0}


def test_a_reset_forgets_all_losses() -> None:
    losses = MeanLosses()
    losses.add("a", torch.tensor(2.0))
    losses.get()
    losses.add("b", torch.tensor(3.0))
    losses.reset()
    assert losses.get() == {}


@pytest.mark.parametrize("count", [MAX_PENDING - 1, MAX_PENDING, MAX_PENDING + 1])
def test_any_number_of_losses_is_averaged(count: int) -> None:
    losses = MeanLosses()
    for i in range(count):
        losses.add("a", torch.tensor(float(i)))
    assert losses.get() == {"a": (count - 1) / 2}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_many_losses_in_half_precision_have_the_right_mean(dtype: torch.dtype) -> None:
    losses = MeanLosses()
    for _ in range(5000):
        losses.add("a", torch.tensor(1.0, dtype=dtype))
    assert losses.get() == {"a": 1.0}


def test_the_graph_of_a_loss_is_not_kept() -> None:
    losses = MeanLosses()
    loss = number(1.0) * 2
    reference = weakref.ref(loss)
    losses.add("a", loss)
    del loss
    gc.collect()
    assert reference() is None
    assert losses.get() == {"a": 2.0}


def _one_process(rank: int, folder: str) -> None:
    """Adds losses that differ by process. The second process has none for `b`."""
    store = f"file://{folder}/store"
    torch.distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=2)
    losses = MeanLosses()
    for value in ([1.0, 3.0], [8.0])[rank]:
        losses.add("a", torch.tensor(value))
    if rank == 0:
        losses.add("b", torch.tensor(5.0))
    losses.reduce(["backbone", "a", "b"])
    Path(folder, f"{rank}.txt").write_text(repr(losses.get()))
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_reduced_losses_are_those_of_all_processes(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(_one_process, args=(str(tmp_path),), nprocs=2)
    for rank in (0, 1):
        found = eval((tmp_path / f"{rank}.txt").read_text())
        assert found == {"a": 4.0, "b": 5.0}
