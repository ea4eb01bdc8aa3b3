"""The contract of every head. `tests/helpers/head_cases.py` has one row for each."""

import copy
import inspect
import json
import math
import pickle
import re
import sys
from typing import Any, Dict

import pytest
import torch
from allennlp.common.util import sanitize
from allennlp.models.heads import Head

import multitask_model
from tests.helpers.head_cases import (
    CASES,
    DIM,
    HeadBatch,
    add_padding,
    make_batch,
    make_head,
    make_vocab,
)

LENGTHS = [5, 1, 3, 4]


@pytest.fixture(params=sorted(CASES))
def type_name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def head(type_name: str) -> Head:
    return make_head(type_name).eval()


@pytest.fixture
def batch(type_name: str) -> HeadBatch:
    return make_batch(type_name, LENGTHS)


def readable(head: Head, batch: HeadBatch) -> Dict[str, Any]:
    with torch.no_grad():
        outputs = head.make_output_human_readable(head(**batch.encoded))
    return sanitize(outputs)


def assert_equal(found: Any, expected: Any) -> None:
    """Compares floats up to rounding, and all other values exactly."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        found, expected = list(found.values()), list(expected.values())
    if isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected):
            assert_equal(one, other)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-5)
    else:
        assert found == expected


def test_every_registered_head_of_this_package_has_a_case() -> None:
    package = multitask_model.__name__
    registered = [
        name
        for name in Head.list_available()
        if Head.by_name(name).__module__.split(".")[0] == package
    ]
    assert sorted(registered) == sorted(CASES.keys() - {"classifier"})  # which is AllenNLP's


def test_a_head_imports_nothing_from_data_or_routing(head: Head) -> None:
    source = inspect.getsource(sys.modules[type(head).__module__])
    assert not re.search(r"multitask_model\.(data|routing)", source)


def test_the_loss_is_a_finite_scalar(head: Head, batch: HeadBatch) -> None:
    loss = head(**batch.arguments)["loss"]
    assert loss.shape == ()
    assert torch.isfinite(loss)
    assert loss > 0


def test_there_is_no_loss_without_labels(head: Head, batch: HeadBatch) -> None:
    assert "loss" not in head(**batch.encoded)


def test_metrics_are_available_before_the_first_batch_and_can_be_reset(
    head: Head, batch: HeadBatch
) -> None:
    before = head.get_metrics()
    head(**batch.encoded)
    assert head.get_metrics() == before  # a batch without labels is not counted
    head(**batch.arguments)
    after = head.get_metrics()
    assert after != before
    at_end = head.get_metrics(reset=True)  # some metrics are reported at the end only
    assert {name: at_end[name] for name in after} == after
    assert head.get_metrics() == before


def test_a_head_reports_nothing_before_it_had_a_label(
    type_name: str, head: Head, batch: HeadBatch
) -> None:
    if type_name == "classifier":
        pytest.skip("AllenNLP's own head reports an accuracy of 0")
    assert head.get_metrics() == {}
    head(**batch.encoded)
    assert head.get_metrics() == head.get_metrics(reset=True) == {}
    head(**batch.arguments)
    head.get_metrics(reset=True)
    assert head.get_metrics() == {}


def test_metrics_are_floats_and_include_the_usual_one(
    type_name: str, head: Head, batch: HeadBatch
) -> None:
    head(**batch.arguments)
    metrics = head.get_metrics()
    assert all(type(value) is float for value in metrics.values())
    assert CASES[type_name].metric in metrics


def test_metrics_of_several_batches_equal_those_of_one(head: Head, batch: HeadBatch) -> None:
    head(**batch.arguments)
    expected = head.get_metrics(reset=True)
    for row in range(len(LENGTHS)):
        head(**batch.row(row).arguments)
    assert_equal(head.get_metrics(reset=True), expected)


def test_the_loss_is_the_mean_of_the_losses_of_the_instances(head: Head, batch: HeadBatch) -> None:
    losses = [head(**batch.row(row).arguments)["loss"] for row in range(len(LENGTHS))]
    torch.testing.assert_close(head(**batch.arguments)["loss"], torch.stack(losses).mean())


def test_every_parameter_and_the_backbone_get_a_gradient(head: Head, batch: HeadBatch) -> None:
    batch.encoded["encoded_text"].requires_grad_()
    head(**batch.arguments)["loss"].backward()
    for name, parameter in head.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name
    gradient = batch.encoded["encoded_text"].grad
    assert gradient is not None
    assert gradient[batch.encoded["encoded_text_mask"]].abs().sum() > 0


def test_padding_gets_no_gradient(head: Head, batch: HeadBatch) -> None:
    batch.encoded["encoded_text"].requires_grad_()
    head(**batch.arguments)["loss"].backward()
    gradient = batch.encoded["encoded_text"].grad
    assert gradient is not None
    assert gradient[~batch.encoded["encoded_text_mask"]].abs().sum() == 0


def test_more_padding_changes_nothing(head: Head, batch: HeadBatch) -> None:
    loss, metrics = head(**batch.arguments)["loss"], head.get_metrics(reset=True)
    padded = add_padding(batch, columns=3)
    torch.testing.assert_close(head(**padded.arguments)["loss"], loss)
    assert_equal(head.get_metrics(reset=True), metrics)
    assert_equal(readable(head, padded), readable(head, batch))


def test_predictions_do_not_depend_on_other_instances(head: Head, batch: HeadBatch) -> None:
    outputs = readable(head, batch)
    for row in range(len(LENGTHS)):
        of_row = readable(head, batch.row(row))
        assert_equal(
            {name: value[0] for name, value in of_row.items()},
            {name: value[row] for name, value in outputs.items()},
        )


def test_every_output_has_one_item_per_instance(head: Head, batch: HeadBatch) -> None:
    assert {name: len(value) for name, value in readable(head, batch).items()} == {
        name: len(LENGTHS) for name in readable(head, batch)
    }


def test_readable_outputs_are_json(head: Head, batch: HeadBatch) -> None:
    outputs = readable(head, batch)
    assert json.loads(json.dumps(outputs, allow_nan=False)) == outputs


def test_making_outputs_readable_does_not_change_them(
    type_name: str, head: Head, batch: HeadBatch
) -> None:
    if type_name == "classifier":
        pytest.skip("AllenNLP's own head writes into its outputs")
    outputs = head(**batch.encoded)
    before = copy.copy(outputs)
    head.make_output_human_readable(outputs)
    assert outputs.keys() == before.keys()
    assert all(outputs[name] is before[name] for name in before)


def test_empty_outputs_stay_empty(head: Head) -> None:
    assert head.make_output_human_readable({}) == {}


def test_a_batch_of_one_token_gives_finite_numbers(type_name: str, head: Head) -> None:
    batch = make_batch(type_name, [1])
    assert torch.isfinite(head(**batch.arguments)["loss"])
    assert all(math.isfinite(value) for value in head.get_metrics().values())
    json.dumps(readable(head, batch), allow_nan=False)


def test_labels_may_be_of_any_integer_type(head: Head, batch: HeadBatch) -> None:
    loss = head(**batch.arguments)["loss"]
    small = {
        name: value if value.is_floating_point() else value.to(torch.int16)
        for name, value in batch.labels.items()
    }
    torch.testing.assert_close(head(**batch.encoded, **small)["loss"], loss)


def test_autocast_on_the_cpu_gives_nearly_the_same_loss(head: Head, batch: HeadBatch) -> None:
    loss = head(**batch.arguments)["loss"]
    with torch.autocast("cpu", torch.bfloat16):
        half = head(**batch.arguments)["loss"]
    half.backward()
    torch.testing.assert_close(half.float(), loss, rtol=0.1, atol=0.1)


def test_the_loss_in_training_mode_is_finite(head: Head, batch: HeadBatch) -> None:
    head.train()
    loss = head(**batch.arguments)["loss"]
    loss.backward()
    assert torch.isfinite(loss)


def test_a_head_with_loaded_state_predicts_the_same(
    type_name: str, head: Head, batch: HeadBatch
) -> None:
    other = make_head(type_name).eval()
    for parameter in other.parameters():
        torch.nn.init.zeros_(parameter)
    other.load_state_dict(head.state_dict())
    assert_equal(readable(other, batch), readable(head, batch))


@pytest.mark.parametrize("how", ["pickle", "copy"])
def test_a_copy_predicts_and_measures_the_same(how: str, head: Head, batch: HeadBatch) -> None:
    head(**batch.arguments)
    other = copy.deepcopy(head) if how == "copy" else pickle.loads(pickle.dumps(head))
    assert_equal(readable(other, batch), readable(head, batch))
    assert other.get_metrics() == head.get_metrics()


def test_training_lowers_the_loss(type_name: str, batch: HeadBatch) -> None:
    head = make_head(type_name)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.05)
    losses = []
    for _ in range(150):
        optimizer.zero_grad()
        loss = head(**batch.arguments)["loss"]
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


def test_the_input_dim_is_the_size_of_the_encoded_tokens(type_name: str, head: Head) -> None:
    if type_name == "classifier":
        pytest.skip("AllenNLP's own head has no get_input_dim")
    get_input_dim = getattr(head, "get_input_dim")  # noqa: B009  (`Head` has none)
    assert get_input_dim() == DIM
    assert type(get_input_dim()) is int


def test_a_head_adds_no_namespace_to_the_vocabulary(type_name: str) -> None:
    head = make_head(type_name)
    assert head.vocab.get_namespaces() == make_vocab(type_name).get_namespaces()
