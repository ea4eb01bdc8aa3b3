"""Backbones: encoders whose outputs all heads share."""

from multitask_model.backbones.text import TextBackbone

__all__ = ["TextBackbone"]
