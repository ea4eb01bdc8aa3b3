"""The mean of values over batches."""

import torch
from allennlp.common.util import is_distributed
from allennlp.nn.util import dist_reduce_sum
from allennlp.training.metrics import Metric
from overrides import overrides


class RunningMean(Metric):
    """
    The mean of all values since the last reset, in distributed training over all processes. Every
    process must call it for every batch, also with no values.

    # Examples

        >>> mean = RunningMean()
        >>> mean(torch.tensor([1.0, 2.0]))
        >>> mean(torch.tensor([6.0]))
        >>> mean.get_metric(), mean.count
        (3.0, 3)
    """

    supports_distributed = True
    summed_attributes = ("total", "count")

    def __init__(self) -> None:
        self.total = 0.0
        """The sum of the values since the last reset."""
        self.count = 0
        """The number of values since the last reset."""

    @overrides
    def __call__(self, values: torch.Tensor) -> None:  # type: ignore[override]
        """
        # Parameters

        values : `torch.Tensor`
            Of any shape and type; summed in double precision.
        """
        sum_of_values, count = values.detach().sum(dtype=torch.float64), values.numel()
        if is_distributed():
            sums = torch.stack([sum_of_values, sum_of_values.new_tensor(count)])
            sum_of_values, count = dist_reduce_sum(sums)
        self.total += float(sum_of_values)
        self.count += int(count)

    @overrides
    def get_metric(self, reset: bool = False) -> float:
        """The mean; 0 if there are no values."""
        mean = self.total / self.count if self.count else 0.0
        if reset:
            self.reset()
        return mean

    @overrides
    def reset(self) -> None:
        self.total = 0.0
        self.count = 0
