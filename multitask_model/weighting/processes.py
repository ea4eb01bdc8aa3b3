"""What weightings track over the processes of a distributed training."""

from typing import Dict, List, Sequence, Tuple

import torch
from allennlp.common.util import is_distributed


def mean_over_processes(
    losses: Dict[str, torch.Tensor], names: Sequence[str]
) -> Tuple[List[str], torch.Tensor]:
    """
    Averages the losses of a batch over the processes that have them. Every process must call it for
    every batch, so that what is tracked is the same on all processes. PyTorch copies the buffers of
    the first process to the others before each batch, which then changes nothing.

    # Parameters

    losses : `Dict[str, torch.Tensor]`
        The losses of the heads that ran on this process.
    names : `Sequence[str]`
        All heads.

    # Returns

    `Tuple[List[str], torch.Tensor]`
        The heads that ran on any process, and their mean losses, of shape `(H,)`.
    """
    values = torch.stack([loss.detach() for loss in losses.values()])
    if not is_distributed():
        return list(losses), values
    sums = values.new_zeros(2, len(names))
    indices = [names.index(name) for name in losses]
    sums[0, indices], sums[1, indices] = values, torch.ones_like(values)
    torch.distributed.all_reduce(sums)
    ran = sums[1].nonzero().squeeze(1)
    return [names[i] for i in ran.tolist()], (sums[0] / sums[1])[ran]
