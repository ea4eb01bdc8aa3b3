"""The mean loss of each component."""

import copy
import gc
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Union

import numpy
import pytest
import torch

from multitask_model.training.metrics.mean_losses import MAX_PENDING, MeanLosses
from tests.helpers.multitask import number

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def test_losses_are_averaged_by_component() -> None:
    losses = MeanLosses()
    for name, loss in (("b", 1.0), ("a", 7.0), ("b", 4.0)):
        losses.add(name, torch.tensor(loss), 4)
    assert list(losses.get().items()) == [("b", 2.5), ("a", 7.0)]


@pytest.mark.parametrize("loss", [2.0, torch.tensor(2.0)], ids=["number", "tensor"])
def test_reading_does_not_change_the_mean(loss: Union[float, torch.Tensor]) -> None:
    losses = MeanLosses()
    for _ in range(3):
        losses.add("a", loss, 1)
        assert losses.get() == {"a": 2.0}


def test_a_reset_forgets_all_losses() -> None:
    losses = MeanLosses()
    losses.add("a", torch.tensor(2.0), 1)
    losses.get()
    losses.add("b", torch.tensor(3.0), 1)
    losses.reset()
    assert losses.get() == {}


@pytest.mark.parametrize("count", [MAX_PENDING - 1, MAX_PENDING, MAX_PENDING + 1])
def test_any_number_of_losses_is_averaged(count: int) -> None:
    losses = MeanLosses()
    for i in range(count):
        losses.add("a", torch.tensor(float(i)), 1)
    assert losses.get() == {"a": (count - 1) / 2}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_many_losses_in_half_precision_have_the_right_mean(dtype: torch.dtype) -> None:
    losses = MeanLosses()
    for _ in range(5000):
        losses.add("a", torch.tensor(1.0, dtype=dtype), 1)
    assert losses.get() == {"a": 1.0}


def test_the_graph_of_a_loss_is_not_kept() -> None:
    losses = MeanLosses()
    loss = number(1.0) * 2
    reference = weakref.ref(loss)
    losses.add("a", loss, 1)
    del loss
    gc.collect()
    assert reference() is None
    assert losses.get() == {"a": 2.0}


def test_each_loss_is_weighted_by_its_rows() -> None:
    losses = MeanLosses()
    losses.add("a", torch.tensor(1.0), 3)
    losses.add("a", 5.0, 1)
    assert losses.get() == {"a": (3 * 1.0 + 1 * 5.0) / 4}


def test_the_mean_of_many_losses_is_exact() -> None:
    losses, loss = MeanLosses(), torch.tensor(0.7)
    for _ in range(100_000):
        losses.add("a", loss, 16)
    assert losses.get()["a"] == pytest.approx(loss.item(), rel=1e-10)


@pytest.mark.parametrize("device", DEVICES)
def test_a_loss_may_be_changed_in_place(device: str) -> None:
    losses = MeanLosses()
    for factor in (2.0, 4.0):
        loss = number(factor).to(device) * 1.0
        losses.add("a", loss, 1)
        loss /= 4
    assert losses.get() == {"a": 3.0}


def test_the_memory_that_a_loss_is_a_view_of_is_not_kept() -> None:
    losses, memory = MeanLosses(), numpy.ones(1000)
    reference = weakref.ref(memory)
    losses.add("a", torch.from_numpy(memory)[7], 1)
    del memory
    gc.collect()
    assert reference() is None
    assert losses.get() == {"a": 1.0}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_memory_on_a_gpu_that_a_loss_is_a_view_of_is_not_kept() -> None:
    losses, before = MeanLosses(), torch.cuda.memory_allocated()
    losses.add("a", torch.ones(10**6, device="cuda")[7], 1)
    assert torch.cuda.memory_allocated() - before < 10**4
    assert losses.get() == {"a": 1.0}


@pytest.mark.parametrize("device", DEVICES)
def test_losses_of_several_threads_are_all_counted(device: str) -> None:
    losses = MeanLosses()

    def add(value: int) -> None:
        loss = torch.tensor(float(value), device=device)
        for _ in range(5000 if device == "cpu" else 1000):
            losses.add("a", loss, value)
            if value == 2:
                losses.get()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, [1, 2, 3, 4]))
    assert losses.get()["a"] == (1 + 4 + 9 + 16) / (1 + 2 + 3 + 4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_adding_a_loss_does_not_wait_for_the_device() -> None:
    losses, loss = MeanLosses(), torch.tensor(0.5, device="cuda", dtype=torch.bfloat16)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for i in range(3 * MAX_PENDING):
            losses.add("a", loss, 1 + i % 3)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert losses.get() == {"a": 0.5}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.skipif(not hasattr(torch, "compile"), reason="torch.compile came with torch 2")
def test_compiled_losses_have_the_right_mean(dtype: torch.dtype) -> None:
    losses = MeanLosses()
    loss = torch.tensor(0.7, dtype=dtype)

    def step(loss: torch.Tensor, rows: int) -> torch.Tensor:
        losses.add("a", loss, rows)
        return loss * 2

    compiled: Any = torch.compile(step, backend="eager", fullgraph=True)
    for _ in range(300):
        compiled(loss, 3)
    compiled(torch.tensor(100.0, dtype=dtype), 1)
    losses.add("a", 50.0, 2)
    expected = (900 * loss.item() + 100.0 + 2 * 50.0) / 903
    assert losses.get()["a"] == pytest.approx(expected, rel=1e-12)
    losses.reset()
    assert losses.get() == {}


def test_a_loss_on_the_device_meta_is_ignored() -> None:
    losses = MeanLosses()
    losses.add("a", torch.zeros((), device="meta"), 1)
    assert losses.get() == {}


@pytest.mark.skipif(not hasattr(torch, "func"), reason="torch.func came with torch 2")
def test_losses_inside_transforms_leave_no_invalid_tensors() -> None:
    losses = MeanLosses()

    def loss_of(x: torch.Tensor) -> torch.Tensor:
        loss = (x * x).sum()
        losses.add("a", loss, 1)
        return loss

    assert torch.func.grad(loss_of)(torch.tensor([3.0])).tolist() == [6.0]
    assert torch.func.hessian(loss_of)(torch.tensor([3.0])).tolist() == [[2.0]]
    assert losses.get() == {"a": 9.0}


@pytest.mark.parametrize("copy_of", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_losses_can_be_copied(copy_of: Callable[[MeanLosses], MeanLosses]) -> None:
    losses = MeanLosses()
    losses.add("a", torch.tensor(2.0), 1)
    assert copy_of(losses).get() == {"a": 2.0}


def test_losses_of_several_processes_replace_those_of_one() -> None:
    losses = MeanLosses()
    losses.add("a", torch.tensor(7.0), 1)
    losses.replace([{"a": (14.0, 6.0)}, {"a": (48.0, 6.0), "b": (5.0, 1.0)}])
    assert losses.get() == {"a": (14.0 + 48.0) / 12, "b": 5.0}
