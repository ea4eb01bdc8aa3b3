"""Transforms of `torch.func`, forward-mode differentiation and compilation of mixed batches."""

from typing import Any, Callable, Dict, List

import pytest
import torch
from allennlp.data import Vocabulary
from allennlp.models.heads import Head
from allennlp.modules import Backbone
from torch.autograd import forward_ad

from multitask_model import MultiTaskModel

needs_func = pytest.mark.skipif(not hasattr(torch, "func"), reason="torch.func came with PyTorch 2")
TASKS = ["abab", "aabb", "aaaa"]


class Identity(Backbone):
    def forward(self, x: torch.Tensor) -> Dict[str, torch.Tensor]:  # type: ignore[override]
        return {"encoded": x.sin()}


class Cube(Head):
    def forward(self, encoded: torch.Tensor) -> Dict[str, torch.Tensor]:
        return {"loss": encoded.pow(3).sum()}


def loss_function(tasks: str) -> Callable[[torch.Tensor], torch.Tensor]:
    vocab = Vocabulary()
    model = MultiTaskModel(vocab, Identity(), {"a": Cube(vocab), "b": Cube(vocab)})
    names: List[str] = list(tasks)
    return lambda x: model(x=x, task=names)["loss"]


def direct(x: torch.Tensor) -> torch.Tensor:
    return x.sin().pow(3).sum()


X = torch.linspace(0.1, 1.0, 4)


@needs_func
@pytest.mark.parametrize("tasks", TASKS)
@pytest.mark.parametrize("transform", ["grad", "hessian", "jacfwd"])
def test_a_transform_of_the_loss(transform: str, tasks: str) -> None:
    apply: Any = getattr(torch.func, transform)
    torch.testing.assert_close(apply(loss_function(tasks))(X), apply(direct)(X))


@needs_func
def test_metrics_can_be_read_after_a_transform() -> None:
    vocab = Vocabulary()
    model = MultiTaskModel(vocab, Identity(), {"a": Cube(vocab), "b": Cube(vocab)})
    torch.func.grad(lambda x: model(x=x, task=["a", "b", "a", "b"])["loss"])(X)
    assert model.get_metrics(reset=True).keys() <= {"a_loss", "b_loss"}


@pytest.mark.parametrize("tasks", TASKS)
def test_forward_mode_differentiation(tasks: str) -> None:
    function = loss_function(tasks)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(X.clone().requires_grad_(), torch.ones(4))
        found = forward_ad.unpack_dual(function(dual)).tangent
        expected = forward_ad.unpack_dual(direct(dual)).tangent
    assert found is not None
    torch.testing.assert_close(found, expected)


@pytest.mark.skipif(not hasattr(torch, "compile"), reason="torch.compile came with PyTorch 2")
@pytest.mark.parametrize("tasks", TASKS)
def test_a_batch_is_compiled_as_one_graph(tasks: str) -> None:
    torch.compiler.reset()
    compiled: Any = torch.compile(loss_function(tasks), backend="eager", fullgraph=True)
    x = X.clone().requires_grad_()
    compiled(x).backward()
    torch.testing.assert_close(x.grad, 3 * X.sin().square() * X.cos())
