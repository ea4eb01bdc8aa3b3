"""Values that only some rows of a batch have."""

from typing import Any, List

import pytest
import torch
from allennlp.nn import util as nn_util

from multitask_model.routing.partial import Partial, has_partial
from multitask_model.routing.rows import take_partial
from tests.helpers.task_rows import Row, batch_of_rows


@pytest.mark.parametrize(
    ("indices", "expected"), [([1, 4, 5], [7, 8, 9]), ([4], [8]), ([1, 5], [7, 9])]
)
def test_rows_are_taken_by_their_position_in_the_batch(
    indices: List[int], expected: List[int]
) -> None:
    taken: Any = take_partial(Partial(torch.tensor([7, 8, 9]), (1, 4, 5)), indices)
    assert taken.tolist() == expected


def test_all_rows_are_the_same_object() -> None:
    value = torch.arange(2)
    assert take_partial(Partial(value, (0, 3)), [0, 3]) is value


def test_a_row_without_the_value_cannot_be_taken() -> None:
    with pytest.raises(KeyError):
        take_partial(Partial([7, 8], (1, 4)), [2])


def test_a_batch_has_a_partial_field_or_none() -> None:
    assert has_partial({"text": [1, 2], "label": Partial([1], (0,))})
    assert not has_partial({"text": [1, 2], "label": [1, 2]})


def test_moving_to_a_device_keeps_partial_fields() -> None:
    rows = [Row("tweets", None, {"polarity": 0}, "w1"), Row("tweets", None, {}, "w3")]
    moved = nn_util.move_to_device(batch_of_rows(rows), torch.device("meta"))
    label: Any = moved["polarity_label"]
    assert isinstance(label, Partial)
    assert label.rows == (0,)
    assert isinstance(label.value, torch.Tensor)
    assert label.value.device.type == "meta"
