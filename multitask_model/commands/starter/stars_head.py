"""A head of our own: predicts the number of stars of a text."""

from typing import Dict, Optional

import torch
from allennlp.data import Vocabulary
from allennlp.models.heads import Head
from allennlp.training.metrics import MeanAbsoluteError


@Head.register("stars")  # the `type` in the config
class StarsHead(Head):
    """
    Predicts a number by a linear layer over the mean of the encoded tokens. The loss is the mean
    squared error.
    """

    # The parameters of `__init__`, without `vocab`, are those that the config gives.
    def __init__(self, vocab: Vocabulary, input_dim: int) -> None:
        super().__init__(vocab)
        self._input_dim = input_dim
        self._linear = torch.nn.Linear(input_dim, 1)
        self._error = MeanAbsoluteError()
        self._has_labels = False

    def get_input_dim(self) -> int:
        """The size of the encoded tokens. The model compares it with that of the backbone."""
        return self._input_dim

    # The names of the arguments decide what the head gets: `encoded_text` and `encoded_text_mask`
    # are outputs of the backbone, and `stars` is a field of the reader. The label has a default,
    # because there is none in prediction.
    def forward(
        self,
        encoded_text: torch.Tensor,  # (B, T, D): batch, tokens, size of the encoding
        encoded_text_mask: torch.Tensor,  # (B, T)
        stars: Optional[torch.Tensor] = None,  # (B,)
    ) -> Dict[str, torch.Tensor]:
        mask = encoded_text_mask.unsqueeze(-1)  # (B, T, 1): padding must not change the mean
        mean = (encoded_text * mask).sum(1) / mask.sum(1)  # (B, D)
        prediction = self._linear(mean).squeeze(-1)  # (B,)
        # The model returns these as `stars_prediction` and `stars_loss`, with the head's name.
        outputs = {"prediction": prediction}
        if stars is not None:
            outputs["loss"] = torch.nn.functional.mse_loss(prediction, stars)
            self._error(prediction, stars)
            self._has_labels = True
        return outputs

    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        """Returns `mae`, which the model reports as `stars_mae`; nothing before the first label."""
        metrics = self._error.get_metric(reset) if self._has_labels else {}
        self._has_labels = self._has_labels and not reset
        return metrics
