"""With the aggregator `sum`, all gradients are those of the plain backward pass."""

import copy
from typing import Any, Callable, Dict

import pytest
import torch
from allennlp.nn.regularizers import L2Regularizer, RegularizerApplicator
from allennlp.nn.util import move_to_device

from multitask_model import Partial
from multitask_model.weighting import (
    GeometricWeighting,
    SmoothTchebycheffWeighting,
    UncertaintyWeighting,
)
from tests.helpers.aggregation import (
    aggregated_gradients,
    batch_for,
    make_callback,
    plain_gradients,
    tiny_model,
)
from tests.helpers.models import TinyBackbone

pytest.importorskip("torchjd")  # not for Python 3.10 and earlier

ABC = ["a", "b", "a", "c", "b", "a"]


class BackboneWithLoss(TinyBackbone):
    """Has a loss of its own, an output that is computed from another one, and nested outputs."""

    def forward(self, text: Any) -> Dict[str, Any]:  # type: ignore[override]
        outputs = super().forward(text)
        encoded = outputs["encoded_text"]
        outputs["encoded_text"] = torch.sin(encoded) + encoded
        outputs["layers"] = [encoded, {"last": outputs["encoded_text"]}]
        outputs["loss"] = encoded.pow(2).mean()
        return outputs


def tied_heads() -> Any:
    model = tiny_model("abc")
    model.head("b").linear.weight = model.head("a").linear.weight
    return model


def frozen(prefix: str) -> Callable[[], Any]:
    def make() -> Any:
        model = tiny_model("abc")
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(not name.startswith(prefix))
        return model

    return make


def regularized() -> Any:
    regularizer = RegularizerApplicator([("weight", L2Regularizer(0.1))])
    return tiny_model("abc", regularizer=regularizer)


MODELS: Dict[str, Callable[[], Any]] = {
    "plain": lambda: tiny_model("abc"),
    "weights": lambda: tiny_model("abc", loss_weights={"a": 0.3, "c": 2.0}),
    "instances": lambda: tiny_model("abc", loss_reduction="instances", loss_weights={"b": 3.0}),
    "several_heads": lambda: tiny_model(
        "abcd", task_heads={"a": ["a", "d"], "b": ["a"], "c": ["c"]}
    ),
    "backbone_loss": lambda: tiny_model("abc", BackboneWithLoss(), loss_weights={"backbone": 0.4}),
    "regularizer": regularized,
    "tied_heads": tied_heads,
    "unused_head": lambda: tiny_model("abcde"),
    "frozen_backbone": frozen("_backbone"),
    "frozen_embedding": frozen("_backbone.embedding"),
    "frozen_heads": frozen("_heads"),
    "frozen_head": frozen("_heads.b"),
    "uncertainty": lambda: tiny_model("abc", loss_weighting=UncertaintyWeighting()),
    "geometric": lambda: tiny_model("abc", loss_weighting=GeometricWeighting()),
    "tchebycheff": lambda: tiny_model(
        "abc", loss_weighting=SmoothTchebycheffWeighting(), loss_reduction="instances"
    ),
}


def check(model: Any, batch: Dict[str, Any], features: bool, device: torch.device) -> None:
    model, batch = model.to(device), move_to_device(batch, device)
    expected = plain_gradients(copy.deepcopy(model), batch)
    found = aggregated_gradients(model, batch, make_callback(features=features))
    assert any(gradient is not None for gradient in expected.values())
    for name, gradient in expected.items():
        if gradient is None:
            assert found[name] is None, name
        else:
            torch.testing.assert_close(found[name], gradient, rtol=0, atol=1e-6, msg=name)


@pytest.mark.parametrize("features", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_the_gradients_are_those_of_the_plain_pass(
    name: str, features: bool, device: torch.device
) -> None:
    check(MODELS[name](), batch_for(ABC), features, device)


@pytest.mark.parametrize("features", [False, True])
def test_a_batch_of_one_head_gets_the_plain_pass(features: bool, device: torch.device) -> None:
    check(tiny_model("abc", loss_weights={"a": 0.5}), batch_for(["a", "a"]), features, device)


@pytest.mark.parametrize("features", [False, True])
def test_a_head_that_is_called_twice(features: bool, device: torch.device) -> None:
    # Only some instances of a have a label.
    batch = batch_for(ABC)
    rows = (0, 1, 3, 4)
    batch["label"] = Partial(batch["label"][list(rows)], rows)
    check(tiny_model("abc"), batch, features, device)
