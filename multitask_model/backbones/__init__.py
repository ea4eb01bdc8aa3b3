"""Backbones: encoders whose outputs all heads share."""

from multitask_model.backbones.text import TextBackbone
from multitask_model.backbones.text_pair import TextPairBackbone

__all__ = ["TextBackbone", "TextPairBackbone"]
