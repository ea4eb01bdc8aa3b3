"""Metrics for each task follow a head that is changed after construction, and never change it."""

import copy
from typing import Any, Callable, Dict, List

import pytest
import torch
from allennlp.models.heads import Head
from torch.nn.utils import prune

from multitask_model import MultiTaskModel
from multitask_model.training.metrics.shadow_head import ShadowHead
from tests.helpers.models import CLASSES, DIM, TinyBackbone, TinyHead, make_batch, make_vocab


def make_model(head: Head, enabled: bool = True) -> Any:
    torch.manual_seed(1)
    task_heads = {"x": ["a"], "y": ["a"]}
    return MultiTaskModel(
        make_vocab(), TinyBackbone(), {"a": head}, task_heads=task_heads, per_task_metrics=enabled
    )


def weight_norm(head: Any) -> None:
    torch.nn.utils.weight_norm(head.linear)


def remove_weight_norm(head: Any) -> None:
    torch.nn.utils.weight_norm(head.linear)
    head(torch.ones(1, 2, DIM), torch.ones(1, 2))
    torch.nn.utils.remove_weight_norm(head.linear)


def parametrized_weight_norm(head: Any) -> None:
    if not hasattr(torch.nn.utils.parametrizations, "weight_norm"):
        pytest.skip("this parametrization came with torch 2")
    torch.nn.utils.parametrizations.weight_norm(head.linear)


def orthogonal(head: Any) -> None:
    torch.nn.utils.parametrizations.orthogonal(head.linear)


def pruned(head: Any) -> None:
    prune.random_unstructured(head.linear, "weight", amount=0.5)


def pruned_for_good(head: Any) -> None:
    prune.random_unstructured(head.linear, "weight", amount=0.5)
    prune.remove(head.linear, "weight")


def replaced(head: Any) -> None:
    head.linear = torch.nn.Sequential(torch.nn.Linear(DIM, 7), torch.nn.Linear(7, CLASSES))


def replaced_twice(head: Any) -> None:
    replaced(head)
    head.linear[1] = torch.nn.Linear(7, CLASSES)


def scripted(head: Any) -> None:
    head.linear = torch.jit.script(head.linear)


def scripted_with_dropout(head: Any) -> None:
    layers = torch.nn.Sequential(torch.nn.BatchNorm1d(DIM), torch.nn.Dropout(0.5), head.linear)
    head.linear = torch.jit.script(layers)


def with_hook(head: Any) -> None:
    head.linear.register_forward_hook(lambda module, inputs, output: output * -3.0)


CHANGES = [
    *(weight_norm, remove_weight_norm, parametrized_weight_norm, orthogonal, pruned),
    *(pruned_for_good, replaced, replaced_twice, with_hook),
    *(scripted, scripted_with_dropout),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("change", CHANGES)
def test_metrics_of_a_task_follow_a_changed_head(change: Callable[[Any], None]) -> None:
    head = TinyHead(make_vocab())
    model = make_model(head).eval()
    batch = make_batch(["x"] * 8)
    model(**batch)
    change(head)
    model.eval()
    model.get_metrics(reset=True)
    for _ in range(3):
        optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
        model(**batch)["loss"].backward()
        optimizer.step()
        metrics = model.get_metrics(reset=True)
        assert metrics["x_a_loss"] == pytest.approx(metrics["a_loss"])
        assert metrics["x_a_accuracy"] == metrics["a_accuracy"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("change", CHANGES)
def test_metrics_of_a_task_do_not_change_the_training(change: Callable[[Any], None]) -> None:
    states = []
    for enabled in (False, True):
        torch.manual_seed(0)
        head = TinyHead(make_vocab())
        model = make_model(head, enabled)
        model(**make_batch(["x", "y", "x"]))
        torch.manual_seed(2)
        change(head)
        torch.manual_seed(3)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        for seed in range(3):
            model(**make_batch(["x", "y", "x"], seed=seed))["loss"].backward()
            optimizer.step()
        states.append({name: value.tolist() for name, value in model.state_dict().items()})
    assert states[0] == states[1]


def test_counts_of_a_task_are_kept_when_a_layer_is_replaced() -> None:
    head = TinyHead(make_vocab())
    model = make_model(head)
    label = torch.tensor([1])
    with torch.no_grad():
        head.linear.weight.zero_()
        head.linear.bias.copy_(torch.tensor([0.0, 1.0, 0.0]))
    model(**{**make_batch(["x"]), "label": label})
    head.linear = copy.deepcopy(head.linear)
    with torch.no_grad():
        head.linear.bias.copy_(torch.tensor([1.0, 0.0, 0.0]))
    model(**{**make_batch(["x"]), "label": label})
    assert model.get_metrics()["x_a_accuracy"] == 0.5


class StatefulHead(TinyHead):
    """Counts its calls in a buffer and an attribute, and freezes its weights in `train`."""

    def __init__(self) -> None:
        super().__init__(make_vocab())
        self.register_buffer("calls", torch.zeros(()))
        self.steps: List[int] = []

    def forward(self, *args: Any, **kwargs: Any) -> Dict[str, torch.Tensor]:
        self.calls.add_(1)  # type: ignore[operator]
        self.steps.append(len(self.steps))
        return super().forward(*args, **kwargs)

    def train(self, mode: bool = True) -> Any:
        for parameter in self.parameters():
            parameter.requires_grad_(mode)
        return super().train(mode)


def test_the_state_of_the_head_is_unaffected() -> None:
    head = StatefulHead()
    shadow = ShadowHead(head)
    batch = {"encoded_text": torch.ones(2, 3, DIM), "encoded_text_mask": torch.ones(2, 3)}
    for _ in range(3):
        shadow.follow(head)(**batch)
    assert head.calls.item() == 0  # type: ignore[operator]
    assert head.steps == []
    assert head.training
    assert not shadow.module.training
    assert all(parameter.requires_grad for parameter in head.parameters())


def test_a_copied_model_keeps_its_counts() -> None:
    model = make_model(TinyHead(make_vocab()))
    model(**make_batch(["x", "x", "y"]))
    copied = copy.deepcopy(model)
    copied(**make_batch(["x", "x", "y"]))
    model(**make_batch(["x", "x", "y"]))
    assert copied.get_metrics() == model.get_metrics()
    assert {"x_a_loss", "y_a_loss"} <= copied.get_metrics().keys()


def test_a_task_without_labels_has_no_metrics() -> None:
    model = make_model(TinyHead(make_vocab()))
    model(**make_batch(["x", "x"]))
    model(**make_batch(["y", "y"], labels=False))
    names = ["_a_hidden", "_x_a_hidden", "a_accuracy", "a_loss", "x_a_accuracy", "x_a_loss"]
    assert sorted(model.get_metrics()) == names


def test_a_tensor_with_a_gradient_among_the_attributes_can_be_copied() -> None:
    head = TinyHead(make_vocab())
    head.last = head.linear.weight * 2.0
    model = make_model(head)
    model(**make_batch(["x"]))
    assert "x_a_loss" in model.get_metrics()
