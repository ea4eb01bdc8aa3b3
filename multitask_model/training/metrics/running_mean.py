"""The mean of values over batches."""

import torch
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
        total = values.detach().sum(dtype=torch.float64)
        sums = torch.stack([total, total.new_tensor(values.numel())])
        total_of_all, count = dist_reduce_sum(sums).tolist()
        self.total += total_of_all
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
