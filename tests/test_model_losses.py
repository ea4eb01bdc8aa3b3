"""The joint loss of a `MultiTaskModel`, and its regularization penalty."""

from typing import Any, Dict

import numpy
import pytest
import torch
from allennlp.models.heads import Head
from allennlp.nn.regularizers import L2Regularizer, RegularizerApplicator

from multitask_model import MultiTaskModel
from tests.helpers.messages import exactly
from tests.helpers.models import TinyBackbone, TinyHead, make_batch, make_instance, make_vocab
from tests.helpers.multitask import batch_of, fixed_model, number, tiny_model


def test_the_joint_loss_is_the_weighted_sum() -> None:
    losses = {"a": {"loss": number(2.0)}, "b": {"loss": number(3.0)}, "c": {"loss": number(5.0)}}
    model = fixed_model(heads=losses, loss_weights={"a": 0.5, "c": 10.0})
    assert model(text=[1] * 3, task=["c", "a", "b"])["loss"].item() == 0.5 * 2 + 3 + 10 * 5


def test_losses_with_one_element_are_added_to_a_scalar() -> None:
    losses: Dict[str, Dict[str, Any]] = {
        "a": {"loss": number(2.0)},
        "b": {"loss": torch.tensor([3.0])},
        "c": {"loss": numpy.float32(4)},
    }
    loss = fixed_model(heads=losses)(text=[1] * 3, task=["a", "b", "c"])["loss"]
    assert loss.shape == ()
    assert loss.item() == 9.0


def test_a_loss_that_is_a_number_becomes_a_tensor() -> None:
    loss = fixed_model(heads={"a": {"loss": 4}})(text=[1], task=["a"])["loss"]
    assert isinstance(loss, torch.Tensor)
    assert loss.item() == 4


@pytest.mark.parametrize(("reduction", "expected"), [("heads", 12.0), ("instances", 4.0)])
def test_numbers_and_tensors_are_added(reduction: str, expected: float) -> None:
    heads: Dict[str, Dict[str, Any]] = {"a": {"loss": 4}, "b": {"loss": number(8.0)}}
    # Each head has one of the three rows, and the third head has no loss.
    model = fixed_model(heads={**heads, "c": {}}, loss_reduction=reduction)
    assert model(text=[1] * 3, task=["a", "b", "c"])["loss"].item() == pytest.approx(expected)


def test_the_loss_of_the_backbone_is_added() -> None:
    backbone, heads = {"loss": number(2.0)}, {"a": {"loss": number(3.0)}}
    model = fixed_model(backbone, heads, loss_weights={"backbone": 10.0})
    outputs = model(text=[1], task=["a"])
    assert outputs["loss"].item() == 23.0
    assert outputs["backbone_loss"].item() == 2.0
    assert model.get_metrics() == {"backbone_loss": 2.0, "a_loss": 3.0}


def test_there_is_no_joint_loss_without_labels() -> None:
    assert "loss" not in tiny_model()(**make_batch(["a", "b"], labels=False))
    assert "loss" not in fixed_model(heads={"a": {"loss": None}})(text=[1], task=["a"])


@pytest.mark.parametrize(
    ("loss", "found"),
    [(torch.zeros(2, 3), "a tensor of shape [2, 3]"), ("high", "'high'")],
    ids=["tensor", "string"],
)
def test_a_loss_that_is_not_a_single_number_is_an_error(loss: Any, found: str) -> None:
    model = fixed_model(heads={"a": {"loss": loss}})
    message = (
        f"The loss of 'a' must be a single number, but got {found}. Reduce it in the forward() of "
        "that component, for example with .mean()."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        model(text=[1], task=["a"])


def test_each_instance_has_the_same_weight_with_the_reduction_instances() -> None:
    # With equal heads, the loss does not depend on how the instances are spread over the heads.
    vocab = make_vocab()
    heads: Dict[str, Head] = {"a": TinyHead(vocab), "b": TinyHead(vocab)}
    heads["b"].load_state_dict(heads["a"].state_dict())
    model = MultiTaskModel(vocab, TinyBackbone(), heads, loss_reduction="instances")

    def loss(tasks: str) -> float:
        instances = [make_instance(f"w{i}", task, "class1") for i, task in enumerate(tasks)]
        return model(**batch_of(instances))["loss"].item()

    assert loss("aaaab") == pytest.approx(loss("aaaaa"))
    assert loss("abbab") == pytest.approx(loss("aaaaa"))


# --- penalties


class Penalized(TinyHead):
    def get_regularization_penalty(self) -> Any:
        return torch.tensor(5.0)


def test_a_penalty_of_a_head_does_not_change_its_loss() -> None:
    vocab = make_vocab()
    model = MultiTaskModel(vocab, TinyBackbone(), {"a": Penalized(vocab)})
    outputs = model(**make_batch(["a"]))
    outputs["loss"] += model.get_regularization_penalty()
    assert outputs["loss"].item() == pytest.approx(outputs["a_loss"].item() + 5.0)
    assert model.get_metrics()["a_loss"] == outputs["a_loss"].item()


def test_a_penalty_of_the_model_does_not_change_the_loss_of_a_head() -> None:
    regularizer = RegularizerApplicator([(".*", L2Regularizer(0.1))])
    model = tiny_model("a", regularizer=regularizer)
    outputs = model(**make_batch(["a"]))
    before = outputs["a_loss"].item()
    outputs["loss"] += 1.0
    assert outputs["a_loss"].item() == before


def test_penalties_of_model_and_heads_are_added() -> None:
    vocab = make_vocab()
    of_head = RegularizerApplicator([("linear.bias", L2Regularizer(0.5))])
    of_model = RegularizerApplicator([("_backbone.linear.bias", L2Regularizer(0.1))])
    heads: Dict[str, Head] = {"a": TinyHead(vocab, regularizer=of_head), "b": TinyHead(vocab)}
    model: Any = MultiTaskModel(vocab, TinyBackbone(), heads, regularizer=of_model)
    torch.nn.init.constant_(model.backbone.linear.bias, 1.0)
    torch.nn.init.constant_(model.head("a").linear.bias, 2.0)
    penalty = model.get_regularization_penalty()
    assert penalty is not None
    assert penalty.item() == pytest.approx(0.1 * 6 * 1 + 0.5 * 3 * 4)


def test_there_is_no_penalty_without_regularizers() -> None:
    assert tiny_model().get_regularization_penalty() is None
