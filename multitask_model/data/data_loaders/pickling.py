"""Pickling of batches and instances, with the values of their tensors."""

import copyreg
import io
import pickle
from typing import Any, Dict, Tuple, Union

import numpy
import torch

_Reduced = Union[str, Tuple[object, ...]]


def to_bytes(value: object) -> bytes:
    """
    Pickles a value. Tensors are pickled as NumPy arrays, which is faster. PyTorch would send each
    tensor to another process through a file in shared memory, which remains open in both.
    """
    file = io.BytesIO()
    pickler = pickle.Pickler(file, pickle.HIGHEST_PROTOCOL)
    # Subclasses of `Tensor` hold more than an array. They are not in the table.
    reducers: Dict[type, Any] = {**copyreg.dispatch_table, torch.Tensor: _reduce_tensor}
    pickler.dispatch_table = reducers
    pickler.dump(value)
    return file.getvalue()


def _reduce_tensor(tensor: torch.Tensor) -> _Reduced:
    try:
        return _tensor, (tensor.numpy(),)
    except (RuntimeError, TypeError):
        # Sparse tensors, tensors that require grad, and dtypes that NumPy lacks.
        reduced: _Reduced = tensor.__reduce_ex__(pickle.HIGHEST_PROTOCOL)
        return reduced


def _tensor(array: numpy.ndarray) -> torch.Tensor:
    return torch.from_numpy(array)
