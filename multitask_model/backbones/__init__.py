"""Backbones: what all heads share. Importing this package registers every one of them."""

from multitask_model.backbones.text import TextBackbone

__all__ = ["TextBackbone"]
