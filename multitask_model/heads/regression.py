"""The `regression` head: a number for a text."""

from typing import Dict, Optional

import torch
from allennlp.common.util import is_distributed
from allennlp.data import Vocabulary
from allennlp.models.heads import Head
from allennlp.modules import FeedForward, Seq2VecEncoder
from allennlp.training.metrics import (
    MeanAbsoluteError,
    PearsonCorrelation,
    SpearmanCorrelation,
)
from overrides import overrides

from multitask_model.modules.projection import Projection


@Head.register("regression")
class RegressionHead(Head):
    """
    Predicts a number for each text. The loss is the squared error, its mean over the texts.

    Registered as a `Head` with name "regression".

    # Parameters

    vocab : `Vocabulary`
    seq2vec_encoder : `Seq2VecEncoder`
        Makes one vector of the encoded text.
    feedforward : `FeedForward`, optional (default = `None`)
        Layers before the last one.
    dropout : `float`, optional (default = `None`)
        Probability of dropping an element of that vector.

    # Raises

    `ConfigurationError`
        If `feedforward` does not fit the `seq2vec_encoder`.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        seq2vec_encoder: Seq2VecEncoder,
        feedforward: Optional[FeedForward] = None,
        dropout: Optional[float] = None,
    ) -> None:
        super().__init__(vocab)
        self._seq2vec_encoder = seq2vec_encoder
        self._projection = Projection(seq2vec_encoder.get_output_dim(), 1, feedforward, dropout)
        self._absolute_error = MeanAbsoluteError()
        self._squared_error = MeanAbsoluteError()  # of the squares, whose target is 0
        self._pearson = PearsonCorrelation()
        self._spearman = SpearmanCorrelation()

    def forward(
        self,
        encoded_text: torch.Tensor,
        encoded_text_mask: torch.Tensor,
        target: Optional[torch.Tensor] = None,
    ) -> Dict[str, torch.Tensor]:
        """
        # Parameters

        encoded_text : `torch.Tensor`
            Of shape (B, T, D).
        encoded_text_mask : `torch.Tensor`
            Of shape (B, T), `True` where there is a token.
        target : `torch.Tensor`, optional (default = `None`)
            Of shape (B,) or (B, 1).

        # Returns

        `Dict[str, torch.Tensor]`
            - prediction : (B,).
            - loss : [], if `target` was given.
        """
        encoded = self._seq2vec_encoder(encoded_text, encoded_text_mask)  # (B, D)
        prediction = self._projection(encoded).squeeze(-1)  # (B,)
        outputs = {"prediction": prediction}
        if target is not None:
            # Half precision would round the targets themselves.
            dtype = torch.promote_types(prediction.dtype, torch.float)
            prediction, target = prediction.to(dtype), target.to(dtype).reshape(prediction.shape)
            outputs["loss"] = torch.nn.functional.mse_loss(prediction, target)
            self._update(prediction.detach(), target.detach())
        return outputs

    def _update(self, prediction: torch.Tensor, target: torch.Tensor) -> None:
        self._absolute_error(prediction, target)
        self._squared_error((prediction - target).square(), torch.zeros_like(target))
        if not is_distributed():
            self._pearson(prediction, target)
            self._spearman(prediction, target)

    def _correlations(self) -> Dict[str, float]:
        values = (self._spearman.total_predictions, self._spearman.total_gold_labels)
        if any(len(value.unique()) < 2 for value in values):
            return {"pearson": 0.0, "spearman": 0.0}  # AllenNLP's metrics would fail or be NaN
        return {
            "pearson": float(self._pearson.get_metric()),
            "spearman": float(self._spearman.get_metric()),
        }

    @overrides
    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        """
        `mae`, the mean absolute error, `mse`, the mean squared error, and the correlations
        `pearson` and `spearman`; nothing before there was a target. A correlation with what is the
        same for all texts is 0. While training, there are no correlations before the end of the
        epoch (`reset`), because they are computed anew from all texts; in distributed training
        there are none, because AllenNLP's metrics cannot put those of the processes together.
        """
        metrics: Dict[str, float] = {}
        if self._absolute_error._total_count > 0:
            metrics["mae"] = self._absolute_error.get_metric()["mae"]
            metrics["mse"] = self._squared_error.get_metric()["mae"]
            # The trainer asks after every batch, and they take as long as there are texts so far.
            if (reset or not self.training) and not is_distributed():
                metrics.update(self._correlations())
        if reset:
            self._absolute_error.reset()
            self._squared_error.reset()
            self._pearson.reset()
            self._spearman.reset()
        return metrics
