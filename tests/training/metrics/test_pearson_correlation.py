"""The Pearson correlation, compared with SciPy's."""

import math

import numpy
import pytest
import torch

from multitask_model.training.metrics import PearsonCorrelation

stats = pytest.importorskip("scipy.stats")


def related(offset: float, scale: float, dtype: torch.dtype) -> torch.Tensor:
    """Pairs with a correlation of about 0.7, of shape (2, 1000)."""
    torch.manual_seed(0)
    first, noise = torch.randn(2, 1000, dtype=torch.float64)
    pairs = offset + scale * torch.stack([first, 0.7 * first + 0.7 * noise])
    return pairs.to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("offset", "scale"),
    [(0.0, 1.0), (0.0, 1e-3), (1.0, 1e-3), (100.0, 1e-3), (1e6, 1.0), (-1e6, 1e3), (0.0, 1e-15)],
)
@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_it_equals_that_of_scipy_at_any_scale_and_offset(
    offset: float, scale: float, batch_size: int, dtype: torch.dtype
) -> None:
    pairs = related(offset, scale, dtype)
    pearson = PearsonCorrelation()
    for batch in pairs.split(batch_size, dim=1):
        pearson(*batch)
    expected = stats.pearsonr(*pairs.double().numpy())[0]
    assert 0.6 < expected < 0.8
    assert pearson.get_metric() == pytest.approx(expected, rel=1e-6)
    assert pearson.count == 1000


def test_a_large_offset_in_double_precision() -> None:
    pairs = related(1e9, 1e-3, torch.float64)
    pearson = PearsonCorrelation()
    for batch in pairs.split(32, dim=1):
        pearson(*batch)
    expected = stats.pearsonr(*(pairs - 1e9).numpy())[0]
    assert pearson.get_metric() == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6 + 0.1, 1 / 3])
def test_the_correlation_with_equal_numbers_is_zero(value: float) -> None:
    pearson = PearsonCorrelation()
    for size in (1, 7, 3, 100):
        pearson(torch.randn(size), torch.full((size,), value, dtype=torch.float64))
    assert pearson.get_metric() == 0.0


def test_without_numbers_the_correlation_is_zero() -> None:
    pearson = PearsonCorrelation()
    pearson(torch.zeros(0), torch.zeros(0))
    assert (pearson.get_metric(), pearson.count) == (0.0, 0)
    pearson(torch.tensor([2.0]), torch.tensor([3.0]))
    assert (pearson.get_metric(), pearson.count) == (0.0, 1)


def test_a_correlation_is_not_above_one() -> None:
    pearson = PearsonCorrelation()
    numbers = torch.tensor([0.1, 0.2, 0.3, 0.7], dtype=torch.float64)
    pearson(numbers, 3 * numbers)
    assert 1.0 - 1e-12 < pearson.get_metric() <= 1.0


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_the_correlation_with_nan_and_infinite_numbers_is_nan(value: float) -> None:
    pearson = PearsonCorrelation()
    pearson(torch.tensor([1.0, 2.0, value]), torch.tensor([1.0, 3.0, 4.0]))
    pearson(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0]))
    assert math.isnan(pearson.get_metric())


def test_a_reset_forgets_all_numbers() -> None:
    pearson = PearsonCorrelation()
    pearson(*torch.randn(2, 5))
    first = pearson.get_metric(reset=True)
    pearson(torch.tensor([[1.0], [2.0]]), torch.tensor([[2], [1]]))
    assert abs(first) < 1.0
    assert pearson.get_metric() == pytest.approx(-1.0)


def test_numbers_may_require_gradients_and_be_of_half_precision() -> None:
    pearson = PearsonCorrelation()
    predictions = torch.tensor([1.0, 2.0, 4.0], dtype=torch.bfloat16, requires_grad=True)
    pearson(predictions, torch.tensor([1, 2, 3]))
    expected = numpy.corrcoef([1.0, 2.0, 4.0], [1.0, 2.0, 3.0])[0, 1]
    assert pearson.get_metric() == pytest.approx(expected)
