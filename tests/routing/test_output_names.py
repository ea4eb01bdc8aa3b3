"""The names of outputs and metrics."""

from typing import Dict, Mapping

import pytest

from multitask_model.routing.output_names import BACKBONE, OutputNames, add_metrics, metric_name
from tests.helpers.messages import exactly


def named(heads: str, **outputs: Mapping[str, object]) -> Dict[str, object]:
    """Returns the outputs of the components under their names, for `heads` split at spaces."""
    names, collected = OutputNames(heads.split()), {}  # type: ignore[var-annotated]
    for component, of_component in outputs.items():
        names.add(collected, component, of_component)
    return collected


def test_outputs_of_heads_are_prefixed() -> None:
    assert named("a b", backbone={"x": 1}, b={"x": 2, "loss": 3}) == {"x": 1, "b_x": 2, "b_loss": 3}


def test_the_loss_of_the_backbone_is_prefixed() -> None:
    assert named("a", backbone={"x": 1, "loss": 2}) == {"x": 1, "backbone_loss": 2}


def test_outputs_of_two_heads_with_the_same_name_are_an_error() -> None:
    message = (
        "Every output of the model must have a unique name, but 'a_b_x' is an output of 'a' and of "
        "'a_b' (which calls it 'x'). Rename a head, or one of the outputs."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        named("a a_b", a={"b_x": 1}, a_b={"x": 2})


def test_an_output_of_a_head_with_the_name_of_a_backbone_output_is_an_error() -> None:
    message = (
        "Every output of the model must have a unique name, but 'a_x' is an output of 'backbone' "
        "and of 'a' (which calls it 'x'). Rename a head, or one of the outputs."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        named("a", backbone={"a_x": 1}, a={"x": 2})


def test_an_output_is_found_at_the_component_that_it_came_from() -> None:
    names, outputs = OutputNames(["a", "a_b"]), {}  # type: ignore[var-annotated]
    names.add(outputs, "a", {"b_x": 1})
    names.add(outputs, BACKBONE, {"a_b_y": 2})
    assert names.find("a_b_x") == "a"
    assert names.find("a_b_y") == "backbone"
    assert names.find("loss") is None


def test_an_unknown_output_belongs_to_the_head_with_the_longest_matching_name() -> None:
    names = OutputNames(["a", "a_b"])
    names.add_head("a_b_c")
    assert [names.find(name) for name in ("a_x", "a_b_x", "a_b_c_x", "x")] == [
        *["a", "a_b", "a_b_c", "backbone"]
    ]


def test_split_outputs_lose_their_prefix() -> None:
    names, outputs = OutputNames(["a", "a_b"]), {}  # type: ignore[var-annotated]
    names.add(outputs, BACKBONE, {"x": 1})
    names.add(outputs, "a", {"b_x": 2, "y": 3})
    split = names.split({**outputs, "a_b_z": 4, "loss": 5})
    assert split == {"backbone": {"x": 1}, "a": {"b_x": 2, "y": 3}, "a_b": {"z": 4}}


def test_hidden_metrics_stay_hidden() -> None:
    assert metric_name("a", "f1") == "a_f1"
    assert metric_name("a", "_micro") == "_a_micro"


def test_metrics_of_two_heads_with_the_same_name_are_an_error() -> None:
    metrics: Dict[str, float] = {}
    add_metrics(metrics, "a", {"b_x": 1.0})
    assert metrics == {"a_b_x": 1.0}
    message = (
        "Every metric must have a unique name, but 'a_b_x' is the metric 'x' of 'a_b' and also a "
        "metric of another head. Rename a head, or one of the metrics."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        add_metrics(metrics, "a_b", {"x": 2.0})
