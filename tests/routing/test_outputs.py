"""Metrics, readable outputs and the outputs of single instances."""

from typing import Any, Dict, List

import numpy
import pytest
import torch
from allennlp.models.heads import Head

from multitask_model import MultiTaskModel
from multitask_model.routing.outputs import separate
from multitask_model.routing.partial import Partial
from multitask_model.training.metrics.mean_losses import MeanLosses
from tests.helpers.models import FixedBackbone, FixedHead, make_batch, make_instance, make_vocab
from tests.test_model import fixed_model, number, tiny_model

# --- metrics


def model_with_metrics(**metrics: Dict[str, float]) -> Any:
    heads: Dict[str, Head] = {name: FixedHead(metrics=found) for name, found in metrics.items()}
    return MultiTaskModel(make_vocab(), FixedBackbone(), heads)


def test_metrics_are_prefixed_and_hidden_ones_stay_hidden() -> None:
    model = model_with_metrics(a={"f1": 0.5, "_micro": 0.25})
    model(text=[1], task=["a"])
    assert model.get_metrics() == {"a_f1": 0.5, "_a_micro": 0.25}


def test_metrics_come_in_the_order_of_the_heads_and_only_of_those_that_ran() -> None:
    model = model_with_metrics(b={"x": 1}, c={"x": 2}, a={"x": 3})
    assert model.get_metrics() == {}
    model(text=[1, 1], task=["a", "b"])
    assert list(model.get_metrics().items()) == [("b_x", 1), ("a_x", 3)]


def test_a_head_that_ran_without_a_loss_is_reported_and_reset() -> None:
    model = model_with_metrics(a={"x": 1}, b={"x": 2})
    model(text=[1], task=["a"])
    assert model.get_metrics(reset=True) == {"a_x": 1}
    assert model._heads["a"].resets == 1
    assert model._heads["b"].resets == 0
    assert model.get_metrics() == {}


def test_loss_is_the_mean_since_the_last_reset() -> None:
    model = fixed_model(heads={"a": {"loss": number(2.0)}, "b": {}}, loss_weights={"a": 100.0})
    model(text=[1, 1], task=["a", "b"])
    model._heads["a"].outputs["loss"] = torch.tensor([5.0])
    model(text=[1], task=["a"])
    assert model.get_metrics() == {"a_loss": 3.5}
    assert model.get_metrics(reset=True) == {"a_loss": 3.5}
    model(text=[1], task=["a"])
    assert model.get_metrics() == {"a_loss": 5.0}


def test_a_loss_that_the_head_reports_itself_stays() -> None:
    model = fixed_model(heads={"a": {"loss": number(2.0), "metrics": {"loss": 7.0}}})
    model(text=[1], task=["a"])
    assert model.get_metrics() == {"a_loss": 7.0}


def test_colliding_metrics() -> None:
    model = model_with_metrics(a={"b_x": 1}, a_b={"x": 2})
    model(text=[1, 1], task=["a", "a_b"])
    expected = r"'a_b_x' is the metric 'x' of 'a_b' and also a metric of another head\. Rename"
    with pytest.raises(ValueError, match=expected):
        model.get_metrics()


def test_the_mean_of_many_losses_in_half_precision() -> None:
    losses = MeanLosses()
    for _ in range(5000):
        losses.add("a", torch.tensor(1.0, dtype=torch.float16))
    assert losses.get() == {"a": 1.0}


def test_mean_losses_do_not_keep_the_graph() -> None:
    losses = MeanLosses()
    losses.add("a", number(1.0) * 2)
    assert not losses._pending["a"][0].requires_grad


# --- readable outputs


def test_a_head_gets_exactly_its_own_outputs() -> None:
    heads = {"a": {"x": 1, "a_x": 2}, "a_b": {"x": 3}, "x": {"y": 4}}
    model = fixed_model({"a_encoded": 5, "x_": 6}, heads)
    outputs = model(text=[1, 1, 1], task=["a", "a_b", "x"])
    model.make_output_human_readable(outputs)
    assert model._heads["a"].readable_calls == [{"x": 1, "a_x": 2}]
    assert model._heads["a_b"].readable_calls == [{"x": 3}]
    assert model._heads["x"].readable_calls == [{"y": 4}]


def test_heads_that_did_not_run_are_left_alone() -> None:
    model = fixed_model({"b_encoded": 1}, {"a": {"x": 1}, "b": {"x": 2}})
    readable = model.make_output_human_readable(model(text=[1], task=["a"]))
    assert model._heads["b"].readable_calls == []
    assert readable == {"b_encoded": 1, "a_x": 1, "a_readable": True}


def test_readable_outputs_are_new_and_the_given_ones_unchanged() -> None:
    model = tiny_model()
    outputs = model(**make_batch(["a", "b"]))
    names = list(outputs)
    readable = model.make_output_human_readable(outputs)
    assert list(outputs) == names
    assert set(readable) == {*names, "a_label", "b_label"}
    assert readable["loss"] is outputs["loss"]


def test_outputs_of_an_earlier_batch() -> None:
    model = fixed_model(heads={"a": {"x": 1}, "a_b": {"y": 2}})
    earlier = model(text=[1], task=["a_b"])
    model(text=[1], task=["a"])
    model.make_output_human_readable(earlier)
    assert model._heads["a"].readable_calls == []
    assert model._heads["a_b"].readable_calls == [{"y": 2}]


def test_outputs_that_this_model_has_not_seen_go_to_the_longest_name() -> None:
    model = fixed_model(heads={"a": {}, "a_b": {}})
    model.make_output_human_readable({"a_b_x": torch.zeros(1), "loss": torch.zeros(())})
    assert list(model._heads["a_b"].readable_calls[0]) == ["x"]
    assert model._heads["a"].readable_calls == []


def test_what_the_backbone_makes_readable() -> None:
    class Readable(FixedBackbone):
        def make_output_human_readable(self, output_dict: Dict[str, Any]) -> Dict[str, Any]:
            ids = output_dict.pop("ids")
            return {**output_dict, "tokens": [f"w{i}" for i in ids]}

    heads: Dict[str, Head] = {"a": FixedHead(x=1)}
    model = MultiTaskModel(make_vocab(), Readable(ids=[1, 2], y=3), heads)
    readable = model.make_output_human_readable(model(text=[1], task=["a"]))
    assert readable == {"y": 3, "tokens": ["w1", "w2"], "a_x": 1, "a_readable": True}


def test_what_only_some_rows_have_is_left_as_it_is() -> None:
    model = fixed_model(heads={"a": {"x": Partial([1], (1,)), "y": [2, 3]}})
    outputs = model(text=[1, 1], task=["a", "a"])
    readable = model.make_output_human_readable(outputs)
    assert model._heads["a"].readable_calls == [{"y": [2, 3]}]
    assert readable["a_x"] == Partial([1], (1,))


# --- outputs of single instances


def test_every_instance_gets_the_outputs_of_its_own_head() -> None:
    model = tiny_model().eval()
    texts = [("w1 w2", "b"), ("w3", "a"), ("w4 w5 w6", "b")]
    together = model.forward_on_instances([make_instance(*text) for text in texts])
    for (text, task), found in zip(texts, together):
        (alone,) = model.forward_on_instances([make_instance(text, task)])
        assert set(found) == {
            "encoded_text",
            "encoded_text_mask",
            f"{task}_logits",
            f"{task}_label",
        }
        numpy.testing.assert_allclose(found[f"{task}_logits"], alone[f"{task}_logits"], atol=1e-6)
        assert found[f"{task}_label"] == alone[f"{task}_label"]
        assert found["encoded_text"].shape == (3, 6)


def test_instances_with_unlike_fields_keep_their_order() -> None:
    model = tiny_model().eval()
    calls: List[int] = []
    model._backbone.register_forward_hook(lambda module, args, out: calls.append(1))
    instances: List[Any] = [
        make_instance("w1", "a", label="class1"),
        make_instance("w2", "b"),
        make_instance("w3", "a", label="class2"),
    ]
    found = model.forward_on_instances(instances)
    assert ["a_label" in outputs for outputs in found] == [True, False, True]
    assert len(calls) == 1
    for instance, outputs in zip(instances, found):
        head = instance["task"].metadata
        alone = model.forward_on_instance(instance)
        numpy.testing.assert_allclose(outputs[f"{head}_logits"], alone[f"{head}_logits"], atol=1e-6)


def test_no_instances() -> None:
    assert tiny_model().forward_on_instances([]) == []


def test_a_loss_is_given_for_a_single_instance() -> None:
    (outputs,) = tiny_model().forward_on_instances([make_instance("w1", "a", label="class1")])
    assert outputs["loss"] == outputs["a_loss"]


@pytest.mark.parametrize(
    ("value", "count", "expected"),
    [
        (torch.tensor([1, 2]), 2, [1, 2]),
        (torch.tensor([1, 2]), 3, None),
        (torch.tensor(5), 1, None),
        (numpy.array(5), 1, None),
        (numpy.array([5]), 1, [5]),
        (torch.tensor([1.5, 2], dtype=torch.bfloat16), 2, [1.5, 2.0]),
        (["x", "y"], 2, ["x", "y"]),
        ("xy", 2, None),
        ({"x": 1, "y": 2}, 2, None),
        (None, 1, None),
        (3, 1, None),
    ],
    ids=repr,
)
def test_separate(value: Any, count: int, expected: Any) -> None:
    assert separate(value, count) == expected
