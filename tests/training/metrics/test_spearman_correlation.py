"""The Spearman correlation, compared with SciPy's."""

import math

import pytest
import torch

from multitask_model.training.metrics import SpearmanCorrelation

stats = pytest.importorskip("scipy.stats")


@pytest.mark.parametrize("batch_size", [1, 7, 200])
def test_it_equals_that_of_scipy_with_equal_numbers_too(batch_size: int) -> None:
    torch.manual_seed(0)
    predictions = torch.randn(200)
    targets = (predictions + torch.randn(200)).round()  # many equal numbers
    spearman = SpearmanCorrelation()
    for one, other in zip(predictions.split(batch_size), targets.split(batch_size)):
        spearman(one, other)
    expected = stats.spearmanr(predictions.numpy(), targets.numpy())[0]
    assert 0.5 < expected < 0.9
    assert spearman.get_metric() == pytest.approx(expected, rel=1e-9)


def test_the_correlation_with_equal_or_without_numbers_is_zero() -> None:
    spearman = SpearmanCorrelation()
    assert spearman.get_metric() == 0.0
    spearman(torch.tensor([1.0, 2.0]), torch.tensor([0.1, 0.1]))
    assert spearman.get_metric() == 0.0


def test_the_correlation_with_nan_is_nan() -> None:
    spearman = SpearmanCorrelation()
    spearman(torch.tensor([1.0, 2.0, math.nan]), torch.tensor([1.0, 2.0, 3.0]))
    assert math.isnan(spearman.get_metric())


def test_a_reset_forgets_all_numbers() -> None:
    spearman = SpearmanCorrelation()
    spearman(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0]))
    assert spearman.get_metric(reset=True) == pytest.approx(1.0)
    spearman(torch.tensor([1.0, 2.0]), torch.tensor([2.0, 1.0]))
    assert spearman.get_metric() == pytest.approx(-1.0)


def test_numbers_are_not_changed_by_later_changes_of_the_tensors() -> None:
    spearman = SpearmanCorrelation()
    numbers = torch.tensor([1.0, 2.0], dtype=torch.float64)
    spearman(numbers, numbers)
    numbers.zero_()
    assert spearman.get_metric() == pytest.approx(1.0)
