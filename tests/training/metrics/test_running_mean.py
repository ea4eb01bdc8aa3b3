"""The mean of values over batches."""

import pytest
import torch

from multitask_model.training.metrics import RunningMean


def test_all_values_have_the_same_weight() -> None:
    mean = RunningMean()
    mean(torch.tensor([1.0, 2.0, 3.0]))
    mean(torch.tensor([[6.0]]))
    assert mean.get_metric() == 3.0
    assert mean.count == 4


def test_the_mean_of_no_values_is_zero() -> None:
    mean = RunningMean()
    mean(torch.zeros(0))
    assert (mean.get_metric(), mean.count) == (0.0, 0)


def test_a_reset_forgets_all_values() -> None:
    mean = RunningMean()
    mean(torch.tensor([5.0]))
    assert mean.get_metric(reset=True) == 5.0
    mean(torch.tensor([1.0]))
    assert mean.get_metric() == 1.0


def test_truth_values_are_averaged_as_zero_and_one() -> None:
    mean = RunningMean()
    mean(torch.tensor([True, False, True, True]))
    assert mean.get_metric() == 0.75


@pytest.mark.parametrize(
    ("dtype", "large"), [(torch.bfloat16, 256), (torch.float16, 2048), (torch.float32, 2**24)]
)
def test_values_are_summed_in_double_precision(dtype: torch.dtype, large: int) -> None:
    mean = RunningMean()
    mean(torch.tensor([large, 1], dtype=dtype))
    assert mean.total == large + 1  # which the type of the values would round


def test_values_are_detached() -> None:
    mean = RunningMean()
    mean(torch.ones(2, requires_grad=True) * 2)
    assert mean.total == 4.0
