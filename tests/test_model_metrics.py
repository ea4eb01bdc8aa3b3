"""The metrics of a `MultiTaskModel`."""

from typing import Any, Dict

import pytest
import torch
from allennlp.models.heads import Head

from multitask_model import MultiTaskModel
from tests.helpers.messages import exactly
from tests.helpers.models import FixedBackbone, FixedHead, make_vocab
from tests.helpers.multitask import fixed_model, number
from tests.helpers.task_rows import Row, batch_of_rows, make_model


def model_with_metrics(**metrics: Dict[str, float]) -> Any:
    heads: Dict[str, Head] = {name: FixedHead(metrics=of_head) for name, of_head in metrics.items()}
    return MultiTaskModel(make_vocab(), FixedBackbone(), heads)


def test_metrics_are_prefixed_and_hidden_ones_stay_hidden() -> None:
    model = model_with_metrics(a={"f1": 0.5, "_micro": 0.25})
    model(text=[1], task=["a"])
    assert model.get_metrics() == {"a_f1": 0.5, "_a_micro": 0.25}


def test_heads_that_ran_have_metrics_in_the_order_of_the_heads() -> None:
    model = model_with_metrics(b={"x": 1}, c={"x": 2}, a={"x": 3})
    assert model.get_metrics() == {}
    model(text=[1, 1], task=["a", "b"])
    assert list(model.get_metrics().items()) == [("b_x", 1), ("a_x", 3)]


def test_a_head_without_a_loss_is_reported_and_reset() -> None:
    model = model_with_metrics(a={"x": 1}, b={"x": 2})
    model(text=[1], task=["a"])
    assert model.get_metrics(reset=True) == {"a_x": 1}
    assert model.head("a").resets == 1
    assert model.head("b").resets == 0
    assert model.get_metrics() == {}


def test_the_loss_of_a_head_is_the_mean_since_the_last_reset() -> None:
    model = fixed_model(heads={"a": {"loss": number(2.0)}, "b": {}}, loss_weights={"a": 100.0})
    model(text=[1, 1], task=["a", "b"])
    model.head("a").outputs["loss"] = torch.tensor([5.0])
    model(text=[1], task=["a"])
    assert model.get_metrics() == {"a_loss": 3.5}
    assert model.get_metrics(reset=True) == {"a_loss": 3.5}
    model(text=[1], task=["a"])
    assert model.get_metrics() == {"a_loss": 5.0}


def test_the_loss_of_a_head_is_a_mean_over_instances() -> None:
    model = fixed_model({"loss": number(10.0)}, heads={"a": {"loss": number(2.0)}, "b": {}})
    model(text=[1, 1, 1], task=["a", "b", "b"])
    model.head("a").outputs["loss"] = number(5.0)
    model.backbone.outputs["loss"] = number(20.0)
    model(text=[1, 1], task=["a", "a"])
    a_loss, backbone_loss = (1 * 2.0 + 2 * 5.0) / 3, (3 * 10.0 + 2 * 20.0) / 5
    assert model.get_metrics() == {"backbone_loss": backbone_loss, "a_loss": a_loss}


def test_only_the_labeled_instances_count_for_the_loss_of_a_head() -> None:
    model = make_model()
    rows = [
        Row("reviews", None, {"genre": 1}, "w1"),
        Row("reviews", None, {}, "w2"),
        Row("reviews", None, {}, "w3"),
    ]
    first = model(**batch_of_rows(rows))["genre_loss"].item()
    rows = [Row("reviews", None, {"genre": 0}, f"w{i}") for i in range(2)]
    second = model(**batch_of_rows(rows))["genre_loss"].item()
    assert model.get_metrics()["genre_loss"] == pytest.approx((1 * first + 2 * second) / 3)


def test_scaling_the_joint_loss_in_place_does_not_change_the_loss_of_the_head() -> None:
    model = fixed_model(heads={"a": {"loss": number(2.0) * 1.0}})
    outputs = model(text=[1], task=["a"])
    outputs["loss"] /= 4
    assert model.get_metrics() == {"a_loss": 2.0}


def test_a_loss_that_the_head_itself_reports_is_kept() -> None:
    model = fixed_model(heads={"a": {"loss": number(2.0), "metrics": {"loss": 7.0}}})
    model(text=[1], task=["a"])
    assert model.get_metrics() == {"a_loss": 7.0}


def test_metrics_of_two_heads_with_the_same_name_are_an_error() -> None:
    model = model_with_metrics(a={"b_x": 1}, a_b={"x": 2})
    model(text=[1, 1], task=["a", "a_b"])
    message = (
        "Every metric must have a unique name, but 'a_b_x' is the metric 'x' of 'a_b' and also a "
        "metric of another head. Rename a head, or one of the metrics."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        model.get_metrics()
