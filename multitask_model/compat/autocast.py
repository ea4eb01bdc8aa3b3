"""Switching off `torch.autocast` for a few operations."""

import contextlib
from typing import ContextManager

import torch


def no_autocast(device: torch.device) -> ContextManager[object]:
    """
    Keeps the types of the operands of matrix products. PyTorch 1.12 has autocast for some devices
    only.
    """
    try:
        return torch.autocast(device.type, enabled=False)
    except RuntimeError:
        return contextlib.nullcontext()
