"""The Spearman correlation of two series of numbers."""

from typing import List

import numpy
import torch
from allennlp.training.metrics import Metric
from overrides import overrides

from multitask_model.training.metrics.pearson_correlation import Moments, to_pairs


class SpearmanCorrelation(Metric):
    """
    The Spearman correlation of predictions and targets: the Pearson correlation of their ranks,
    where equal numbers have the mean of their ranks. It keeps all numbers until the next reset, in
    the memory of the CPU. `get_metric` sorts them, so it should be called once per epoch.

    In distributed training only over the numbers of this process.

    # Examples

        >>> spearman = SpearmanCorrelation()
        >>> spearman(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 10.0]))
        >>> spearman(torch.tensor([3.0]), torch.tensor([100.0]))
        >>> round(spearman.get_metric(), 4)
        1.0
    """

    supports_distributed = False
    summed_attributes = ("_values",)

    def __init__(self) -> None:
        self._values: List[numpy.ndarray] = []  # each of shape (2, N)

    @overrides
    def __call__(  # type: ignore[override]
        self, predictions: torch.Tensor, targets: torch.Tensor
    ) -> None:
        """Both arguments have the same shape, which may be any."""
        self._values.append(to_pairs(predictions, targets))

    @overrides
    def get_metric(self, reset: bool = False) -> float:
        """The correlation; 0 if all predictions or all targets are equal; NaN if one is NaN."""
        values = numpy.concatenate([numpy.zeros((2, 0)), *self._values], axis=1)
        if reset:
            self.reset()
        if numpy.isnan(values).any():
            return float("nan")
        ranks = numpy.stack([_ranks(series) for series in values])
        return Moments.of(ranks).correlation()

    @overrides
    def reset(self) -> None:
        self._values = []


def _ranks(series: numpy.ndarray) -> numpy.ndarray:
    """The rank of each number from 1; the mean of the ranks for equal numbers."""
    _, index, counts = numpy.unique(series, return_inverse=True, return_counts=True)
    ranks = counts.cumsum() - (counts - 1) / 2
    return numpy.asarray(ranks[index])
