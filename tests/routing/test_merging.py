"""Merging the outputs of several calls of a head."""

from typing import Any

import numpy
import pytest
import torch

from multitask_model.routing.merging import merge_outputs
from multitask_model.routing.partial import Partial
from tests.helpers.messages import exactly

POSITIONS = [[0, 3], [1], [2, 4, 5]]


def merge(*values: Any) -> Any:
    """Merges an output `x` of calls for the rows `POSITIONS`; `None` for a call without it."""
    outputs = [{} if value is None else {"x": value} for value in values]
    return merge_outputs("a", POSITIONS[: len(values)], outputs)["x"]


def test_tensors_are_merged_in_the_order_of_the_rows() -> None:
    merged = merge(torch.tensor([0, 3]), torch.tensor([1]), torch.tensor([2, 4, 5]))
    assert merged.tolist() == [0, 1, 2, 3, 4, 5]


def test_lists_are_merged_in_the_order_of_the_rows() -> None:
    assert merge(["a", "d"], ["b"], ["c", "e", "f"]) == list("abcdef")


def test_tensors_of_different_lengths_become_a_list() -> None:
    merged = merge(torch.ones(2, 2), torch.ones(1, 3), torch.ones(3, 2))
    assert [row.tolist() for row in merged] == [
        *[[1, 1], [1, 1, 1], [1, 1]],
        *[[1, 1], [1, 1], [1, 1]],
    ]


def test_arrays_become_a_list() -> None:
    merged = merge(numpy.array([0, 3]), numpy.array([1]), numpy.array([2, 4, 5]))
    assert merged == [0, 1, 2, 3, 4, 5]


def test_mappings_are_merged_by_key() -> None:
    merged = merge({"y": ["a", "d"]}, {"y": ["b"], "z": [1]}, {"y": ["c", "e", "f"]})
    assert merged == {"y": list("abcdef"), "z": Partial([1], (1,))}


def test_a_number_is_the_mean_weighted_by_rows() -> None:
    assert merge(6.0, 3.0, 1.0) == pytest.approx((2 * 6 + 1 * 3 + 3 * 1) / 6)
    merged = merge(torch.tensor(6.0), torch.tensor(3.0), torch.tensor(1.0))
    assert merged.shape == ()
    assert merged.item() == pytest.approx(3.0)


def test_a_number_of_some_calls_is_the_mean_of_those() -> None:
    assert merge(6.0, None, 1.0) == pytest.approx((2 * 6 + 3 * 1) / 5)


def test_a_loss_with_one_element_is_a_number() -> None:
    outputs = [{"loss": torch.tensor([4.0])}, {"loss": torch.tensor([1.0])}]
    merged: Any = merge_outputs("a", [[0, 2], [1]], outputs)["loss"]
    assert merged.shape == ()
    assert merged.item() == pytest.approx(3.0)


def test_any_other_output_with_one_element_is_the_output_of_one_row() -> None:
    merged: Any = merge_outputs("a", [[1], [0]], [{"x": torch.ones(1)}, {"x": torch.zeros(1)}])
    assert merged["x"].tolist() == [0, 1]


def test_an_output_of_some_calls_is_partial() -> None:
    merged = merge(["a", "d"], None, ["c", "e", "f"])
    assert merged == Partial(["a", "c", "d", "e", "f"], (0, 2, 3, 4, 5))


def test_an_output_that_is_none_in_every_call_is_left_out() -> None:
    outputs = [{"x": None, "y": [1]}, {"x": None, "y": [2]}]
    assert merge_outputs("a", [[0], [1]], outputs) == {"y": [1, 2]}


@pytest.mark.parametrize("value", [torch.zeros(7), "word", [1, 2, 3]])
def test_an_output_without_rows_is_an_error(value: Any) -> None:
    message = (
        "'a' is called once for each set of fields that its instances have, so each of its outputs "
        "must be a number or have one row per instance, but got a "
        f"{type(value).__name__} for 'x' that is neither. Change that output, or set the heads of "
        "each instance in a 'heads' field."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        merge(value, value)


def test_gradients_flow_through_merged_outputs() -> None:
    first, second = torch.tensor([1.0], requires_grad=True), torch.tensor([2.0], requires_grad=True)
    merged: Any = merge_outputs("a", [[1], [0]], [{"x": first}, {"x": second}])["x"]
    (merged * torch.tensor([3.0, 5.0])).sum().backward()
    assert first.grad is not None
    assert second.grad is not None
    assert (first.grad.item(), second.grad.item()) == (5.0, 3.0)
