"""Padding of sequences of different lengths, in one buffer."""

from itertools import chain
from typing import Any, Iterable, Sequence

import numpy
import torch
from torch import Tensor


def pad_rows(rows: Sequence[Sequence[Any]], length: int, padding: Tensor) -> Tensor:
    """
    Pads the rows of a tensor on the right.

    # Parameters

    rows : `Sequence[Sequence[Any]]`
        The elements of each row, none of which is longer than `length`. An element is a number or,
        if `padding` is a vector, as many numbers.
    length : `int`
    padding : `Tensor`
        The element to pad with: a scalar or a vector. The result has its type.

    # Returns

    `Tensor`
        Shape: `(len(rows), length, *padding.shape)`

    # Raises

    `ValueError`
        If a row is too long.

    # Examples

    >>> pad_rows([[1, 2], [3]], length=3, padding=torch.tensor(0))
    tensor([[1, 2, 0],
            [3, 0, 0]])
    """
    element = padding.numpy()
    lengths = numpy.fromiter(map(len, rows), int, len(rows))
    padded = numpy.full((len(rows), length, *element.shape), element, element.dtype)
    is_filled = numpy.arange(length) < lengths[:, None]  # (rows, length)
    numbers: Iterable[Any] = chain.from_iterable(rows)
    if element.ndim:
        numbers = chain.from_iterable(numbers)
    count = int(lengths.sum()) * element.size
    filled = numpy.fromiter(numbers, element.dtype, count)
    padded[is_filled] = filled.reshape(-1, *element.shape)
    return torch.from_numpy(padded)
