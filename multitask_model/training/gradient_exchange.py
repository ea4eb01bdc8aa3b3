"""Averaging gradients over the processes of distributed training."""

from typing import Iterable, List, Optional, Sequence

import torch

from multitask_model.training.head_gradients import Gradients


def average_gradients(
    gradients: Gradients, shared: Sequence[torch.Tensor], heads: int
) -> Gradients:
    """
    Averages the gradients of all heads over the processes, each of which must call this. Those that
    no process has are left out.

    # Parameters

    gradients : `Gradients`
        Those of this process.
    shared : `Sequence[torch.Tensor]`
        All shared parameters, in the same order in every process.
    heads : `int`
        The number of heads, H.
    """
    own = {id(tensor): of_tensor for tensor, of_tensor in gradients}
    shapes = [(heads, *tensor.shape) for tensor in shared]
    averages = _average([own.get(id(tensor)) for tensor in shared], shapes, shared)
    return [(tensor, mean) for tensor, mean in zip(shared, averages) if mean is not None]


def average_grads(parameters: Iterable[torch.nn.Parameter]) -> None:
    """
    Averages `grad` of all parameters over the processes, each of which must call this. It stays
    `None` for those that have none in any process.
    """
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    grads = [parameter.grad for parameter in trained]
    averages = _average(grads, [parameter.shape for parameter in trained], trained)
    for parameter, mean in zip(trained, averages):
        parameter.grad = mean


def _average(
    values: Sequence[Optional[torch.Tensor]],
    shapes: Sequence[Sequence[int]],
    like: Sequence[torch.Tensor],
) -> List[Optional[torch.Tensor]]:
    """Averages values of these shapes. `None` counts as 0, and stays if no process has a value."""
    if not values:
        return []
    has_value = like[0].new_tensor([float(value is not None) for value in values])
    torch.distributed.all_reduce(has_value)
    taken = [i for i, count in enumerate(has_value.tolist()) if count]
    averages: List[Optional[torch.Tensor]] = [None] * len(values)
    for i in taken:
        value = values[i]
        mean = like[i].new_zeros(tuple(shapes[i])) if value is None else value.detach().clone()
        torch.distributed.all_reduce(mean)
        averages[i] = mean / torch.distributed.get_world_size()
    return averages
