"""Readable outputs of a `MultiTaskModel`, and the outputs of single instances."""

from typing import Any, Dict, List

import numpy
import torch
from allennlp.models.heads import Head

from multitask_model import MultiTaskModel
from multitask_model.routing.partial import Partial
from tests.helpers.models import FixedBackbone, FixedHead, make_batch, make_instance, make_vocab
from tests.helpers.multitask import fixed_model, record_calls, tiny_model

# --- readable outputs


def test_a_head_only_gets_its_own_outputs() -> None:
    heads = {"a": {"x": 1, "a_x": 2}, "a_b": {"x": 3}, "x": {"y": 4}}
    model = fixed_model({"a_encoded": 5, "x_": 6}, heads)
    outputs = model(text=[1, 1, 1], task=["a", "a_b", "x"])
    model.make_output_human_readable(outputs)
    assert model.head("a").readable_calls == [{"x": 1, "a_x": 2}]
    assert model.head("a_b").readable_calls == [{"x": 3}]
    assert model.head("x").readable_calls == [{"y": 4}]


def test_heads_without_outputs_are_not_called() -> None:
    model = fixed_model({"b_encoded": 1}, {"a": {"x": 1}, "b": {"x": 2}})
    readable = model.make_output_human_readable(model(text=[1], task=["a"]))
    assert model.head("b").readable_calls == []
    assert readable == {"b_encoded": 1, "a_x": 1, "a_readable": True}


def test_the_given_outputs_are_not_changed() -> None:
    model = tiny_model()
    outputs = model(**make_batch(["a", "b"]))
    names = list(outputs)
    readable = model.make_output_human_readable(outputs)
    assert list(outputs) == names
    assert set(readable) == {*names, "a_label", "b_label"}
    assert readable["loss"] is outputs["loss"]


def test_outputs_of_an_earlier_batch_can_be_made_readable() -> None:
    model = fixed_model(heads={"a": {"x": 1}, "a_b": {"y": 2}})
    earlier = model(text=[1], task=["a_b"])
    model(text=[1], task=["a"])
    model.make_output_human_readable(earlier)
    assert model.head("a").readable_calls == []
    assert model.head("a_b").readable_calls == [{"y": 2}]


def test_an_unknown_output_belongs_to_the_head_with_the_longest_matching_name() -> None:
    model = fixed_model(heads={"a": {}, "a_b": {}})
    model.make_output_human_readable({"a_b_x": torch.zeros(1), "loss": torch.zeros(())})
    assert list(model.head("a_b").readable_calls[0]) == ["x"]
    assert model.head("a").readable_calls == []


class ReadableBackbone(FixedBackbone):
    def make_output_human_readable(self, output_dict: Dict[str, Any]) -> Dict[str, Any]:
        ids = output_dict.pop("ids")
        return {**output_dict, "tokens": [f"w{i}" for i in ids]}


def test_the_backbone_makes_its_own_outputs_readable() -> None:
    heads: Dict[str, Head] = {"a": FixedHead(x=1)}
    model = MultiTaskModel(make_vocab(), ReadableBackbone(ids=[1, 2], y=3), heads)
    readable = model.make_output_human_readable(model(text=[1], task=["a"]))
    assert readable == {"y": 3, "tokens": ["w1", "w2"], "a_x": 1, "a_readable": True}


def test_an_output_of_some_rows_is_not_made_readable() -> None:
    model = fixed_model(heads={"a": {"x": Partial([1], (1,)), "y": [2, 3]}})
    outputs = model(text=[1, 1], task=["a", "a"])
    readable = model.make_output_human_readable(outputs)
    assert model.head("a").readable_calls == [{"y": [2, 3]}]
    assert readable["a_x"] == Partial([1], (1,))


# --- outputs of single instances


def test_each_instance_gets_the_outputs_of_its_head() -> None:
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


def test_instances_with_different_fields_keep_their_order() -> None:
    model = tiny_model().eval()
    calls = record_calls(model.backbone)
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


def test_no_instances_have_no_outputs() -> None:
    assert tiny_model().forward_on_instances([]) == []


def test_a_single_instance_has_a_loss() -> None:
    (outputs,) = tiny_model().forward_on_instances([make_instance("w1", "a", label="class1")])
    assert outputs["loss"] == outputs["a_loss"]
