"""The `regression` head: a number for a sequence."""

from typing import Dict, Optional

import torch
from allennlp.common.util import is_distributed
from allennlp.data import Vocabulary
from allennlp.models.heads import Head
from allennlp.modules import FeedForward, Seq2VecEncoder
from overrides import overrides

from multitask_model.modules.projection import Projection
from multitask_model.training.metrics.pearson_correlation import PearsonCorrelation
from multitask_model.training.metrics.running_mean import RunningMean
from multitask_model.training.metrics.spearman_correlation import SpearmanCorrelation


@Head.register("regression")
class RegressionHead(Head):
    """
    Predicts a number for each sequence. The loss is the squared error, averaged over sequences.

    Registered as a `Head` with name "regression".

    # Parameters

    vocab : `Vocabulary`
    seq2vec_encoder : `Seq2VecEncoder`
        Encodes the sequence as one vector.
    feedforward : `FeedForward`, optional (default = `None`)
        Layers before the last linear layer.
    dropout : `float`, optional (default = `None`)
        The probability of dropping an element of that vector.

    # Raises

    `ConfigurationError`
        If `feedforward` does not fit the `seq2vec_encoder`.

    # Examples

        >>> from allennlp.modules.seq2vec_encoders import BagOfEmbeddingsEncoder
        >>> head = RegressionHead(Vocabulary(), BagOfEmbeddingsEncoder(4))
        >>> for parameter in head.parameters():
        ...     _ = torch.nn.init.zeros_(parameter)  # all predictions are 0
        >>> mask = torch.tensor([[True, True]])
        >>> outputs = head(torch.randn(1, 2, 4), mask, target=torch.tensor([3.0]))
        >>> outputs["loss"].item()
        9.0
    """

    label_argument = "target"

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
        self._absolute_error = RunningMean()
        self._squared_error = RunningMean()
        self._pearson = PearsonCorrelation()
        self._spearman = SpearmanCorrelation()

    def get_input_dim(self) -> int:
        """The size of the encoded tokens that the head accepts."""
        return int(self._seq2vec_encoder.get_input_dim())

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
            Of shape (B, T), `True` for tokens.
        target : `torch.Tensor`, optional (default = `None`)
            Of shape (B,) or (B, 1).

        # Returns

        `Dict[str, torch.Tensor]`
            - prediction : (B,).
            - loss : [], if `target` is given.
        """
        encoded = self._seq2vec_encoder(encoded_text, encoded_text_mask)  # (B, D)
        prediction = self._projection(encoded).squeeze(-1)  # (B,)
        outputs = {"prediction": prediction}
        if target is not None:
            # Half precision would round the targets.
            dtype = torch.promote_types(prediction.dtype, torch.float)
            prediction, target = prediction.to(dtype), target.reshape(prediction.shape)
            outputs["loss"] = torch.nn.functional.mse_loss(prediction, target.to(dtype))
            self._update_metrics(prediction.detach(), target.detach())
        return outputs

    def _update_metrics(self, prediction: torch.Tensor, target: torch.Tensor) -> None:
        errors = prediction - target
        self._absolute_error(errors.abs())
        self._squared_error(errors.square())
        self._pearson(prediction, target)
        self._spearman(prediction, target)

    @overrides
    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        """
        The mean absolute error `mae`, the mean squared error `mse`, and the correlation `pearson`.
        With `reset` also `spearman`. Nothing if there was no target.

        A correlation is 0 if all predictions or all targets are equal. `spearman` needs all
        sequences and sorts them, so it is only reported at the end of an epoch. In distributed
        training it is left out if the head is not one of a `MultiTaskModel`, because each process
        has only a part of the sequences.
        """
        metrics: Dict[str, float] = {}
        if self._absolute_error.count > 0:
            metrics["mae"] = self._absolute_error.get_metric()
            metrics["mse"] = self._squared_error.get_metric()
            metrics["pearson"] = self._pearson.get_metric()
            if reset and not is_distributed():
                metrics["spearman"] = self._spearman.get_metric()
        if reset:
            for metric in (
                self._absolute_error,
                self._squared_error,
                self._pearson,
                self._spearman,
            ):
                metric.reset()
        return metrics
