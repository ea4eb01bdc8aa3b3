"""Construction and `forward` of `MultiTaskModel`."""

import copy
import pickle
from typing import Any, Dict, List, Optional

import numpy
import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.models import Model
from allennlp.models.heads import Head
from allennlp.nn import InitializerApplicator
from allennlp.nn.initializers import ConstantInitializer
from allennlp.nn.regularizers import L2Regularizer, RegularizerApplicator

from multitask_model import MultiTaskModel
from tests.helpers.models import (
    FixedBackbone,
    FixedHead,
    TinyBackbone,
    TinyHead,
    make_batch,
    make_vocab,
)


def tiny_model(names: str = "ab", **kwargs: Any) -> Any:
    torch.manual_seed(0)
    vocab = make_vocab()
    heads: Dict[str, Head] = {name: TinyHead(vocab) for name in names}
    return MultiTaskModel(vocab, TinyBackbone(), heads, **kwargs)


def fixed_model(
    backbone: Optional[Dict[str, Any]] = None, heads: Optional[Dict[str, Any]] = None, **kwargs: Any
) -> Any:
    built: Dict[str, Head] = {name: FixedHead(**out) for name, out in (heads or {"a": {}}).items()}
    return MultiTaskModel(make_vocab(), FixedBackbone(**(backbone or {})), built, **kwargs)


def number(value: float) -> torch.Tensor:
    return torch.tensor(value, requires_grad=True)


# --- what is wired wrongly is found at construction


def test_multitask_means_our_model() -> None:
    assert Model.by_name("multitask") is MultiTaskModel
    assert MultiTaskModel.default_predictor == "multitask"


def test_there_must_be_heads() -> None:
    with pytest.raises(ConfigurationError, match="heads must have at least one head, but it is"):
        MultiTaskModel(make_vocab(), FixedBackbone(), {})


@pytest.mark.parametrize("name", ["backbone", "a.b", "keys", "", "reg"])
def test_head_names_that_cannot_be_used(name: str) -> None:
    expected = f"a valid name of a module, but '{name}' cannot be used: .*Choose another name"
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
def test_unknown_components(parameter: str, value: Any) -> None:
    expected = (
        rf"{parameter} must name 'backbone' or a head, but got 'polarty'\. Did you mean "
        r"'polarity'\? Known names: \['backbone', 'polarity', 'source'\]\."
    )
    with pytest.raises(ConfigurationError, match=expected):
        fixed_model(heads={"polarity": {}, "source": {}}, **{parameter: value})


def test_the_initializer_reaches_backbone_and_heads() -> None:
    initializer = InitializerApplicator([(".*weight", ConstantInitializer(0.5))])
    model = tiny_model(initializer=initializer)
    assert torch.all(model._backbone.linear.weight == 0.5)
    assert torch.all(model._heads["b"].linear.weight == 0.5)


def test_what_was_handed_in_is_not_kept() -> None:
    weights = {"a": 2.0}
    model = fixed_model(heads={"a": {"loss": number(3.0)}}, loss_weights=weights)
    weights["a"] = 5.0
    assert model(text=[1], task=["a"])["loss"].item() == 6.0


def test_built_from_params() -> None:
    params = Params(
        {
            "type": "multitask",
            "backbone": {"type": "tests.test_model.TinyBackbone"},
            "heads": {"a": {"type": "tests.test_model.TinyHead"}},
            "loss_weights": {"a": 2},
            "arg_name_mapping": {"backbone": {"tokens": "text"}},
            "allowed_arguments": {"a": ["encoded_text", "encoded_text_mask"]},
        }
    )
    model = Model.from_params(params, vocab=make_vocab())
    batch = make_batch(["a", "a"])
    batch["tokens"] = batch.pop("text")
    assert isinstance(model, MultiTaskModel)
    assert sorted(model(**batch)) == ["a_logits", "encoded_text", "encoded_text_mask"]


def test_state_dict_has_the_names_of_allennlp() -> None:
    names = set(tiny_model("a").state_dict())
    assert names == {
        "_backbone.embedding.weight",
        "_backbone.linear.weight",
        "_backbone.linear.bias",
        "_heads.a.linear.weight",
        "_heads.a.linear.bias",
    }


# --- arguments


def test_a_head_gets_inputs_and_encodings_of_its_own_rows() -> None:
    model = fixed_model({"x": torch.arange(3)}, {"a": {}, "b": {}})
    text = {"tokens": {"tokens": torch.arange(6).view(3, 2)}}
    model(text=text, task=["a", "b", "a"], meta=[{"i": 0}, {"i": 1}, {"i": 2}], flag=None)
    (arguments,) = model._heads["a"].calls
    assert arguments["x"].tolist() == [0, 2]
    assert arguments["text"]["tokens"]["tokens"].tolist() == [[0, 1], [4, 5]]
    assert arguments["meta"] == [{"i": 0}, {"i": 2}]
    assert arguments["task"] == ["a", "a"]
    assert arguments["flag"] is None


def test_two_heads_may_take_the_same_text() -> None:
    model = fixed_model(heads={"a": {}, "b": {}})
    model(text={"t": {"t": torch.arange(4)}}, task=["a", "b", "a", "b"])
    assert model._heads["a"].calls[0]["text"]["t"]["t"].tolist() == [0, 2]
    assert model._heads["b"].calls[0]["text"]["t"]["t"].tolist() == [1, 3]


def test_the_backbone_gets_the_whole_batch_by_the_mapped_name() -> None:
    model = fixed_model(
        heads={"a": {}, "b": {}},
        arg_name_mapping={"backbone": {"question": "text", "review": "text"}},
    )
    model(question=[1, 2], task=["a", "b"])
    model(review=[3], task=["b"])
    assert model._backbone.calls == [{"text": [1, 2]}, {"text": [3]}]


def test_duplicate_argument_of_the_backbone() -> None:
    mapping = {"backbone": {"question": "text", "review": "text"}}
    model = fixed_model(arg_name_mapping=mapping)
    with pytest.raises(ValueError, match="'backbone' got duplicate argument text"):
        model(question=[1], review=[2], task=["a"])


def test_missing_argument_is_found_before_the_call() -> None:
    model = tiny_model()
    batch = make_batch(["a"])
    batch["txt"] = batch.pop("text")
    with pytest.raises(ValueError, match=r"'backbone' requires the argument 'text', .*'txt'"):
        model(**batch)


def test_allowed_arguments_of_one_head_leave_the_others_inferred() -> None:
    model = tiny_model(allowed_arguments={"a": {"encoded_text", "encoded_text_mask"}})
    outputs = model(**make_batch(["a", "b"]))
    assert "a_loss" not in outputs
    assert "b_loss" in outputs


def test_an_input_that_hides_an_encoding() -> None:
    model = fixed_model({"x": torch.zeros(1)})
    with pytest.raises(ValueError, match="'x' is an input of the batch and also an output of the"):
        model(text=[1], task=["a"], x=[1])


def test_unknown_task() -> None:
    with pytest.raises(ValueError, match="the unknown task 'c'.*The tasks are "):
        tiny_model()(**make_batch(["a", "c"]))


def test_the_backbone_is_not_a_task() -> None:
    with pytest.raises(ValueError, match="the unknown task 'backbone'"):
        tiny_model()(**make_batch(["backbone"]))


@pytest.mark.parametrize("tasks", [["a"] * 4, ["a", "b", "a", "b"], ["a", "a", "b", "b"]])
def test_nothing_of_the_batch_changes(tasks: List[str]) -> None:
    batch = make_batch(tasks)
    batch["metadata"] = [{"words": ["x"]} for _ in tasks]
    before = copy.deepcopy(batch)
    tiny_model()(**batch)["loss"].backward()
    ids, ids_before = (b["text"]["tokens"]["tokens"] for b in (batch, before))
    assert torch.equal(ids, ids_before)
    assert torch.equal(batch["label"], before["label"])
    assert {k: batch[k] for k in ("task", "metadata")} == {
        k: before[k] for k in ("task", "metadata")
    }
    assert batch.keys() == before.keys()


# --- outputs


def test_outputs_are_prefixed_and_in_the_order_of_the_heads() -> None:
    outputs = tiny_model("ba")(**make_batch(["a", "b"]))
    expected = ["encoded_text", "encoded_text_mask", "b_logits", "b_loss", "a_logits", "a_loss"]
    assert list(outputs) == [*expected, "loss"]


def test_colliding_outputs_of_two_heads() -> None:
    model = fixed_model(heads={"a": {"b_x": 1}, "a_b": {"x": 2}})
    expected = (
        r"'a_b_x' is the name of an output of 'a' and of 'a_b' \(which calls it 'x'\)\. Rename"
    )
    with pytest.raises(ValueError, match=expected):
        model(text=[1, 2], task=["a", "a_b"])


def test_output_of_a_head_that_collides_with_the_backbone() -> None:
    model = fixed_model({"a_x": 1}, {"a": {"x": 2}})
    with pytest.raises(ValueError, match="'a_x' is the name of an output of 'backbone' and of 'a'"):
        model(text=[1], task=["a"])


def test_a_mixed_batch_equals_separate_batches() -> None:
    tasks = ["a", "b", "b", "a", "c"]
    model = tiny_model("abc")
    batch = make_batch(tasks)
    mixed = model(**batch)
    for head in "abc":
        rows = torch.tensor([i for i, task in enumerate(tasks) if task == head])
        ids = batch["text"]["tokens"]["tokens"][rows]
        alone = model(
            text={"tokens": {"tokens": ids}}, label=batch["label"][rows], task=[head] * len(rows)
        )
        assert torch.allclose(mixed[f"{head}_logits"], alone[f"{head}_logits"], atol=1e-7)
        assert torch.allclose(mixed[f"{head}_loss"], alone["loss"], atol=1e-7)


# --- losses


def test_the_joint_loss_is_the_weighted_sum() -> None:
    losses = {"a": {"loss": number(2.0)}, "b": {"loss": number(3.0)}, "c": {"loss": number(5.0)}}
    model = fixed_model(heads=losses, loss_weights={"a": 0.5, "c": 10.0})
    assert model(text=[1] * 3, task=["c", "a", "b"])["loss"].item() == 0.5 * 2 + 3 + 10 * 5


def test_a_penalty_of_a_head_by_a_method_leaves_its_loss() -> None:
    class Penalized(TinyHead):
        def get_regularization_penalty(self) -> Any:
            return torch.tensor(5.0)

    vocab = make_vocab()
    model = MultiTaskModel(vocab, TinyBackbone(), {"a": Penalized(vocab)})
    outputs = model(**make_batch(["a"]))
    outputs["loss"] += model.get_regularization_penalty()
    assert outputs["loss"].item() == pytest.approx(outputs["a_loss"].item() + 5.0)
    assert model.get_metrics()["a_loss"] == outputs["a_loss"].item()


def test_losses_of_one_element_add_up_to_a_scalar() -> None:
    losses = {
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


def test_the_loss_of_a_backbone_joins_the_sum() -> None:
    backbone, heads = {"loss": number(2.0)}, {"a": {"loss": number(3.0)}}
    model = fixed_model(backbone, heads, loss_weights={"backbone": 10.0})
    outputs = model(text=[1], task=["a"])
    assert outputs["loss"].item() == 23.0
    assert outputs["backbone_loss"].item() == 2.0
    assert model.get_metrics() == {"backbone_loss": 2.0, "a_loss": 3.0}


def test_no_loss_without_labels() -> None:
    assert "loss" not in tiny_model()(**make_batch(["a", "b"], labels=False))
    assert "loss" not in fixed_model(heads={"a": {"loss": None}})(text=[1], task=["a"])


@pytest.mark.parametrize(
    ("loss", "found"),
    [(torch.zeros(2, 3), r"a tensor of shape \[2, 3\]"), ("high", "'high'")],
)
def test_a_loss_that_is_not_one_number(loss: Any, found: str) -> None:
    model = fixed_model(heads={"a": {"loss": loss}})
    expected = rf"The loss of 'a' must be one number, but it is {found}\. Reduce it in the forward"
    with pytest.raises(ValueError, match=expected):
        model(text=[1], task=["a"])


def test_a_penalty_added_in_place_leaves_the_loss_of_the_head() -> None:
    regularizer = RegularizerApplicator([(".*", L2Regularizer(0.1))])
    model = tiny_model("a", regularizer=regularizer)
    outputs = model(**make_batch(["a"]))
    before = outputs["a_loss"].item()
    outputs["loss"] += 1.0
    assert outputs["a_loss"].item() == before


# --- the rest of the interface of a model


def test_penalties_of_model_and_heads_add_up() -> None:
    vocab = make_vocab()
    of_head = RegularizerApplicator([("linear.bias", L2Regularizer(0.5))])
    of_model = RegularizerApplicator([("_backbone.linear.bias", L2Regularizer(0.1))])
    heads: Dict[str, Head] = {"a": TinyHead(vocab, regularizer=of_head), "b": TinyHead(vocab)}
    model: Any = MultiTaskModel(vocab, TinyBackbone(), heads, regularizer=of_model)
    torch.nn.init.constant_(model._backbone.linear.bias, 1.0)
    torch.nn.init.constant_(model._heads["a"].linear.bias, 2.0)
    penalty = model.get_regularization_penalty()
    assert penalty is not None
    assert penalty.item() == pytest.approx(0.1 * 6 * 1 + 0.5 * 3 * 4)


def test_no_penalty_without_regularizers() -> None:
    assert tiny_model().get_regularization_penalty() is None


@pytest.mark.parametrize(
    "through", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))]
)
def test_a_copy_computes_the_same_and_is_independent(through: Any) -> None:
    model = tiny_model(loss_weights={"a": 2.0})
    batch = make_batch(["a", "b", "a"])
    expected = model(**batch)["loss"].item()
    other = through(model)
    assert other.get_metrics(reset=True) == model.get_metrics(reset=True)
    assert other(**batch)["loss"].item() == expected
    assert len(other.get_metrics()) == 6
    torch.nn.init.zeros_(other._heads["a"].linear.weight)
    assert model(**batch)["loss"].item() == expected


class SyncFreeHead(Head):
    """Like a head, without the metrics of AllenNLP, which wait for the device."""

    def __init__(self) -> None:
        super().__init__(make_vocab())
        self.linear = torch.nn.Linear(6, 1)

    def forward(self, encoded_text: torch.Tensor, label: Any = None) -> Any:
        return {"loss": (self.linear(encoded_text).sum((1, 2)) - label).sum()}


@pytest.mark.parametrize("tasks", [["a"] * 4, ["a", "b", "a", "b"], ["a", "a", "b", "b"]])
def test_forward_does_not_wait_for_the_device(tasks: List[str]) -> None:
    # Nothing can be read from the meta device, so whatever waits for a result fails there.
    heads: Dict[str, Head] = {"a": SyncFreeHead(), "b": SyncFreeHead()}
    model = MultiTaskModel(make_vocab(), TinyBackbone(), heads).to("meta")
    batch = make_batch(tasks)
    batch["label"] = batch["label"].to("meta")
    batch["text"]["tokens"]["tokens"] = batch["text"]["tokens"]["tokens"].to("meta")
    loss = model(**batch)["loss"]
    assert loss.device.type == "meta"
    assert loss.shape == ()


def test_heads_in_wrappers() -> None:
    model = tiny_model()
    batch = make_batch(["a", "b", "a"])
    expected = model(**batch)
    metrics = model.get_metrics(reset=True)
    backbone: Any = torch.nn.DataParallel(model._backbone)
    heads: Any = {name: torch.nn.DataParallel(head) for name, head in model._heads.items()}
    wrapped = MultiTaskModel(make_vocab(), backbone, heads)
    outputs = wrapped(**batch)
    assert outputs["loss"].item() == expected["loss"].item()
    assert wrapped.get_metrics() == metrics
    assert (
        wrapped.make_output_human_readable(outputs)["a_label"]
        == (model.make_output_human_readable(expected)["a_label"])
    )
