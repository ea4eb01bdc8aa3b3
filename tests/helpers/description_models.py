"""Backbones for descriptions that are wrong."""

from typing import Any, Dict, Optional

import torch

from tests.helpers.models import TinyBackbone


class LabelBackbone(TinyBackbone):
    """Also takes the field `polarity`."""

    def forward(  # type: ignore[override]
        self, text: Dict[str, Dict[str, torch.Tensor]], polarity: Optional[torch.Tensor] = None
    ) -> Dict[str, Any]:
        return super().forward(text)


class FailingBackbone(TinyBackbone):
    """Raises an error that is not worded by the model."""

    def forward(self, text: Any) -> Dict[str, Any]:  # type: ignore[override]
        raise KeyError("tokens")
