"""Building a `MultiTaskModel`: its parameters, its errors, and what it is made of."""

from typing import Any, Dict, Iterator, List, Sequence

import numpy as np
import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.models import Model
from allennlp.nn import InitializerApplicator
from allennlp.nn.initializers import ConstantInitializer

from multitask_model import MultiTaskModel
from multitask_model.weighting import LossWeighting
from tests.helpers.messages import exactly
from tests.helpers.models import FixedBackbone, TinyHead, make_batch, make_vocab
from tests.helpers.multitask import fixed_model, number, tiny_model
from tests.helpers.task_rows import make_model


def test_the_type_name_multitask_is_our_model() -> None:
    assert Model.by_name("multitask") is MultiTaskModel
    assert MultiTaskModel.default_predictor == "multitask"


def test_a_model_without_heads_is_an_error() -> None:
    message = "heads must have at least one head, but got an empty mapping. Add a head."
    with pytest.raises(ConfigurationError, match=exactly(message)):
        MultiTaskModel(make_vocab(), FixedBackbone(), {})


@pytest.mark.parametrize("name", ["backbone", "a.b", "keys", "", "reg"])
def test_an_invalid_name_of_a_head_is_an_error(name: str) -> None:
    expected = (
        f"^The name of a head must be a valid name of a module, but got '{name}': .*"
        r"\. Choose another name for this head\.$"
    )
    with pytest.raises(ConfigurationError, match=expected):
        fixed_model(heads={name: {}})


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("loss_weights", {"polarty": 1.0}),
        ("arg_name_mapping", {"polarty": {}}),
        ("allowed_arguments", {"polarty": set()}),
    ],
)
def test_an_unknown_component_is_an_error(parameter: str, value: Any) -> None:
    message = (
        f"{parameter} must name 'backbone' or a head, but got 'polarty'. Did you mean "
        "'polarity'? Known names: ['backbone', 'polarity', 'source']."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        fixed_model(heads={"polarity": {}, "source": {}}, **{parameter: value})


def test_an_unknown_loss_reduction_is_an_error() -> None:
    message = "loss_reduction must be 'heads' or 'instances', but got 'instance'."
    with pytest.raises(ConfigurationError, match=exactly(message)):
        make_model(loss_reduction="instance")


def test_the_initializer_is_applied_to_backbone_and_heads() -> None:
    initializer = InitializerApplicator([(".*weight", ConstantInitializer(0.5))])
    model = tiny_model(initializer=initializer)
    assert torch.all(model.backbone.linear.weight == 0.5)
    assert torch.all(model.head("b").linear.weight == 0.5)


def test_later_changes_of_a_parameter_have_no_effect() -> None:
    weights = {"a": 2.0}
    model = fixed_model(heads={"a": {"loss": number(3.0)}}, loss_weights=weights)
    weights["a"] = 5.0
    assert model(text=[1], task=["a"])["loss"].item() == 6.0


def config(**model: Any) -> Params:
    return Params(
        {
            "type": "multitask",
            "backbone": {"type": "tests.helpers.models.TinyBackbone"},
            "heads": {"a": {"type": "tests.helpers.models.TinyHead"}},
            **model,
        }
    )


def test_a_model_is_built_from_params() -> None:
    params = config(
        loss_weights={"a": 2},
        arg_name_mapping={"backbone": {"tokens": "text"}},
        allowed_arguments={"a": ["encoded_text", "encoded_text_mask"]},
    )
    model = Model.from_params(params, vocab=make_vocab())
    batch = make_batch(["a", "a"])
    batch["tokens"] = batch.pop("text")
    assert isinstance(model, MultiTaskModel)
    assert sorted(model(**batch)) == ["a_logits", "encoded_text", "encoded_text_mask"]


class Scaled(LossWeighting):
    """Multiplies the sum of the losses by a parameter, and records the calls of `set_heads`."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(scale))
        self.heads: List[List[str]] = []

    def set_heads(self, names: Sequence[str]) -> None:
        self.heads.append(list(names))

    def forward(self, losses: Dict[str, torch.Tensor]) -> torch.Tensor:
        return self.scale * torch.stack(list(losses.values())).sum()


@pytest.fixture(name="scaled")
def _scaled(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name that `Scaled` is registered under during a test."""
    registry = LossWeighting._registry[LossWeighting]
    LossWeighting.register("tests_scaled")(Scaled)
    yield "tests_scaled"
    del registry["tests_scaled"]


def test_a_registered_loss_weighting_is_built_from_params(scaled: str) -> None:
    params = config(loss_weighting={"type": scaled, "scale": 3.0}, loss_weights={"a": 2.0})
    model: Any = Model.from_params(params, vocab=make_vocab())
    outputs = model(**make_batch(["a", "a"]))
    assert outputs["loss"].item() == pytest.approx(3.0 * 2.0 * outputs["a_loss"].item())
    (weighting,) = (module for module in model.modules() if isinstance(module, Scaled))
    assert weighting.heads == [["a"]]


def test_the_loss_weighting_is_told_of_added_heads() -> None:
    weighting = Scaled(1.0)
    model = tiny_model("ba", loss_weighting=weighting)
    assert weighting.heads == [["b", "a"]]
    model.add_head("c", tiny_model("c").head("c"))
    assert weighting.heads == [["b", "a"], ["b", "a", "c"]]


def test_the_parameters_of_the_loss_weighting_are_trained() -> None:
    weighting = Scaled(3.0)
    model = tiny_model(loss_weighting=weighting)
    outputs = model(**make_batch(["a", "b"]))
    outputs["loss"].backward()
    assert "_balancing.scale" in dict(model.named_parameters())
    assert weighting.scale.grad is not None
    assert weighting.scale.grad.item() == pytest.approx(
        outputs["a_loss"].item() + outputs["b_loss"].item()
    )


def test_the_state_dict_has_the_names_of_allennlp() -> None:
    names = set(tiny_model("a").state_dict())
    assert names == {
        "_backbone.embedding.weight",
        "_backbone.linear.weight",
        "_backbone.linear.bias",
        "_heads.a.linear.weight",
        "_heads.a.linear.bias",
    }


def test_an_unknown_option_is_an_error() -> None:
    message = (
        "^The options of a model must name parameters that it has, but got 'loss_weight'. Did you "
        r"mean 'loss_weights'\? Known names: \['vocab', 'backbone', 'heads', .*, 'regularizer', "
    )
    with pytest.raises(ConfigurationError, match=message):
        fixed_model(heads={"a": {}}, loss_weight={"a": 0.5})


class OwnModel(MultiTaskModel):
    def __init__(self, *args: Any, own_size: int = 1, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.own_size = own_size


class Mixin:
    def __init__(self, *args: Any, depth: int = 1, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.depth = depth


class MixedModel(MultiTaskModel, Mixin):
    """Its constructor passes the option `depth` on to the mixin by way of `MultiTaskModel`."""


def test_an_option_may_be_that_of_another_base_class() -> None:
    parts: Any = (make_vocab(), FixedBackbone(), {"a": TinyHead(make_vocab())})
    with pytest.raises(ConfigurationError, match="'own_sise'. Did you mean 'own_size'"):
        OwnModel(*parts, own_sise=3)
    assert OwnModel(*parts, own_size=3).own_size == 3
    with pytest.raises(ConfigurationError, match="'detph'. Did you mean 'depth'"):
        MixedModel(*parts, detph=3)


@pytest.mark.parametrize("weight", [0, 2, np.float32(0.5), torch.tensor(0.5)])
def test_a_loss_weight_may_be_any_number(weight: Any) -> None:
    model = fixed_model(heads={"a": {"loss": 3.0}}, loss_weights={"a": weight})
    assert model(text=[1], task=["a"])["loss"].item() == 3.0 * float(weight)


@pytest.mark.parametrize("weight", [-1, float("nan"), float("inf"), "2", None, True])
def test_a_loss_weight_must_be_a_finite_number(weight: Any) -> None:
    message = (
        "loss_weights must have a finite number of at least 0 for each component, but got "
        f"{weight!r} for 'a'. A weight of 0 leaves a loss out."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        fixed_model(heads={"a": {}}, loss_weights={"a": weight})


@pytest.mark.parametrize(
    ("parameter", "value", "what"),
    [
        ("backbone", "text", "a Backbone, but got 'text'"),
        ("loss_weighting", "uncertainty", "a LossWeighting, but got 'uncertainty'"),
        ("heads", {"a": TinyHead}, "a Head, but got <class 'tests.helpers.models.TinyHead'>"),
    ],
)
def test_a_component_of_another_type_is_an_error(parameter: str, value: Any, what: str) -> None:
    parts = {"backbone": FixedBackbone(), "heads": {"a": TinyHead(make_vocab())}, parameter: value}
    name = "heads['a']" if parameter == "heads" else parameter
    message = f"{name} must be {what}. Outside of a config, build it by its constructor."
    with pytest.raises(ConfigurationError, match=exactly(message)):
        MultiTaskModel(make_vocab(), **parts)


def test_heads_in_a_list_are_an_error() -> None:
    message = (
        "heads must be a dictionary from names to heads, but got a value of type list. Give each "
        "head a name."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        MultiTaskModel(make_vocab(), FixedBackbone(), [TinyHead(make_vocab())])  # type: ignore
