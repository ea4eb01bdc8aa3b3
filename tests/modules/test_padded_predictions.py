"""Padding of predictions is left out of lists and of values."""

import torch

from multitask_model.modules.padded_predictions import strip_padding, to_unpadded_lists


def test_rows_become_lists_without_padding() -> None:
    assert to_unpadded_lists(torch.tensor([[3, 0], [1, -1], [-1, -1]])) == [[3, 0], [1], []]


def test_values_of_padding_are_left_out() -> None:
    values = torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]])
    stripped = strip_padding(values, torch.tensor([[2, 0], [1, -1]]))
    assert [row.tolist() for row in stripped] == [[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0]]]
