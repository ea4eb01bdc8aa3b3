"""The Pearson correlation of two series of numbers, from running sums."""

from typing import NamedTuple

import numpy
import torch
from allennlp.common.util import is_distributed
from allennlp.nn.util import dist_reduce_sum
from allennlp.training.metrics import Metric
from overrides import overrides


class Moments(NamedTuple):
    """
    What the correlation of N pairs of numbers is computed from, in double precision.

        >>> first = Moments.of(numpy.array([[1.0, 2.0], [3.0, 5.0]]))
        >>> both = first.merge(Moments.of(numpy.array([[3.0], [7.0]])))
        >>> both.pairs, both.means, round(both.correlation(), 4)
        (3, array([2., 5.]), 1.0)
    """

    pairs: float
    """N."""
    means: numpy.ndarray
    """Of shape (2,)."""
    products: numpy.ndarray
    """Of shape (2, 2): the sums of products of deviations from the means."""
    lowest: numpy.ndarray
    """Of shape (2,)."""
    highest: numpy.ndarray
    """Of shape (2,)."""

    @classmethod
    @numpy.errstate(all="ignore")  # infinite numbers give NaN
    def of(cls, values: numpy.ndarray) -> "Moments":
        """The moments of `values` of shape (2, N)."""
        if values.shape[1] == 0:
            infinity = numpy.full(2, numpy.inf)
            return cls(0.0, numpy.zeros(2), numpy.zeros((2, 2)), infinity, -infinity)
        means = values.mean(axis=1)
        deviations = values - means[:, None]
        lowest, highest = values.min(axis=1), values.max(axis=1)
        return cls(values.shape[1], means, deviations @ deviations.T, lowest, highest)

    @classmethod
    def unflatten(cls, flat: numpy.ndarray) -> "Moments":
        """The inverse of `flatten`."""
        products = flat[3:7].reshape(2, 2)
        return cls(float(flat[0]), flat[1:3], products, flat[7:9], flat[9:11])

    def flatten(self) -> numpy.ndarray:
        """All values in one array, of shape (11,)."""
        return numpy.concatenate([numpy.ravel(value) for value in self])

    @numpy.errstate(all="ignore")
    def merge(self, other: "Moments") -> "Moments":
        """The moments of both sets of pairs (Chan, Golub and LeVeque 1979)."""
        if not self.pairs or not other.pairs:
            return self if self.pairs else other
        pairs = self.pairs + other.pairs
        delta = other.means - self.means
        between = numpy.outer(delta, delta) * (self.pairs * other.pairs / pairs)
        return Moments(
            pairs,
            self.means + delta * (other.pairs / pairs),
            self.products + other.products + between,
            numpy.minimum(self.lowest, other.lowest),
            numpy.maximum(self.highest, other.highest),
        )

    def correlation(self) -> float:
        """The correlation; 0 if one of the series has no two different numbers."""
        # Rounding errors can make the deviations of equal numbers differ from 0.
        if bool((self.lowest >= self.highest).any()):
            return 0.0
        scales = numpy.sqrt(numpy.diag(self.products))
        scale = float(scales[0] * scales[1])
        if scale == 0.0:
            return 0.0  # the squares of the deviations are too small for a double
        return float(numpy.clip(self.products[0, 1] / scale, -1.0, 1.0))


class PearsonCorrelation(Metric):
    """
    The Pearson correlation of predictions and targets. The time of a call and of `get_metric` does
    not depend on the number of previous calls. Correct for any scale and offset of the numbers,
    whereas AllenNLP's `PearsonCorrelation` returns 0 for small standard deviations.

    In distributed training over the numbers of all processes. Every process must call it for every
    batch, also with no numbers.

    # Examples

        >>> pearson = PearsonCorrelation()
        >>> pearson(torch.tensor([1.0, 2.0]), torch.tensor([0.001, 0.002]))
        >>> pearson(torch.tensor([3.0]), torch.tensor([0.001]))
        >>> pearson.get_metric()
        0.0
        >>> pearson(torch.tensor([4.0]), torch.tensor([0.003]))
        >>> round(pearson.get_metric(), 4)
        0.6742
    """

    supports_distributed = True
    summed_attributes = ("_moments",)

    def __init__(self) -> None:
        self._moments = Moments.of(numpy.zeros((2, 0)))

    @property
    def count(self) -> int:
        """The number of pairs since the last reset."""
        return int(self._moments.pairs)

    @overrides
    def __call__(  # type: ignore[override]
        self, predictions: torch.Tensor, targets: torch.Tensor
    ) -> None:
        """Both arguments have the same shape, which may be any."""
        moments = Moments.of(to_pairs(predictions, targets))
        if is_distributed():
            moments = _merge_processes(moments, predictions.device)
        self._moments = self._moments.merge(moments)

    @overrides
    def get_metric(self, reset: bool = False) -> float:
        """The correlation; 0 if all predictions or all targets are equal."""
        correlation = self._moments.correlation()
        if reset:
            self.reset()
        return correlation

    @overrides
    def reset(self) -> None:
        self._moments = Moments.of(numpy.zeros((2, 0)))


def to_pairs(predictions: torch.Tensor, targets: torch.Tensor) -> numpy.ndarray:
    """Both tensors, of N numbers each, as one array of shape (2, N) in double precision."""
    # Not every device has double precision.
    series = [values.detach().reshape(-1).cpu().double() for values in (predictions, targets)]
    return numpy.asarray(torch.stack(series).numpy())


def _merge_processes(moments: Moments, device: torch.device) -> Moments:
    flat = torch.from_numpy(moments.flatten())
    rows = torch.zeros(torch.distributed.get_world_size(), len(flat), dtype=torch.float64)
    if moments.pairs:  # without numbers there are infinities
        rows[torch.distributed.get_rank()] = flat
    merged = Moments.of(numpy.zeros((2, 0)))
    for row in dist_reduce_sum(rows.to(device)).cpu().numpy():  # gathers the rows
        merged = merged.merge(Moments.unflatten(row))
    return merged
