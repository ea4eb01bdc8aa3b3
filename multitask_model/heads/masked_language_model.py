"""The `masked_language_model` head: the words that were masked in a sequence."""

from typing import Dict, Optional, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.models.heads import Head
from allennlp.modules import FeedForward
from overrides import overrides

from multitask_model.modules.label_vocabulary import LabelVocabulary
from multitask_model.modules.padded_predictions import PADDING
from multitask_model.modules.projection import Projection
from multitask_model.modules.readable_outputs import with_readable
from multitask_model.modules.token_losses import mean_per_instance
from multitask_model.training.metrics.running_mean import RunningMean


@Head.register("masked_language_model")
class MaskedLanguageModelHead(Head):
    """
    Predicts masked words from their context (Devlin, Chang, Lee and Toutanova 2019): an auxiliary
    loss for the backbone that needs no labels. The dataset reader `masked_tokens` masks the words
    and keeps them as labels. The loss is the cross entropy of the masked words, averaged over those
    of each sequence and then over sequences. OOV words are excluded.

    Registered as a `Head` with name "masked_language_model".

    # Parameters

    vocab : `Vocabulary`
    input_dim : `int`
        The size of the encoded tokens.
    feedforward : `FeedForward`, optional (default = `None`)
        Layers before the last linear layer.
    dropout : `float`, optional (default = `None`)
        The probability of dropping an element of the encoded tokens.
    label_namespace : `str`, optional (default = `"masked_tokens"`)
        The namespace of the words that may be predicted.

    # Raises

    `ConfigurationError`
        If the namespace has no words or no padding entry, or `feedforward` does not fit
        `input_dim`.

    # Examples

        >>> vocab = Vocabulary(tokens_to_add={"masked_tokens": ["cat", "dog", "fox"]})
        >>> head = MaskedLanguageModelHead(vocab, input_dim=4)
        >>> for parameter in head.parameters():
        ...     _ = torch.nn.init.zeros_(parameter)  # all entries have the same probability
        >>> mask = torch.tensor([[True, True]])
        >>> outputs = head(torch.randn(1, 2, 4), mask, masked_tokens=torch.tensor([[0, 3]]))
        >>> round(head.get_metrics()["perplexity"], 4)  # three words, padding and OOV
        5.0
    """

    label_argument = "masked_tokens"

    def __init__(
        self,
        vocab: Vocabulary,
        input_dim: int,
        feedforward: Optional[FeedForward] = None,
        dropout: Optional[float] = None,
        label_namespace: str = "masked_tokens",
    ) -> None:
        super().__init__(vocab)
        self._labels = LabelVocabulary(vocab, label_namespace)
        if not self._labels.is_padded:
            raise ConfigurationError(
                "The label_namespace of a masked_language_model must have a padding entry, which "
                f"marks words that are not masked, but got {label_namespace!r}, which has none. "
                "Choose a name that does not end in 'tags' or 'labels', here and in the dataset "
                "reader."
            )
        self._projection = Projection(input_dim, len(self._labels), feedforward, dropout)
        self._mean_loss = RunningMean()

    def get_input_dim(self) -> int:
        """The size of the encoded tokens that the head accepts."""
        return self._projection.input_dim

    def forward(
        self,
        encoded_text: torch.Tensor,
        encoded_text_mask: torch.Tensor,
        masked_tokens: Optional[torch.Tensor] = None,
    ) -> Dict[str, torch.Tensor]:
        """
        # Parameters

        encoded_text : `torch.Tensor`
            Of shape (B, T, D).
        encoded_text_mask : `torch.Tensor`
            Of shape (B, T), `True` for tokens.
        masked_tokens : `torch.Tensor`, optional (default = `None`)
            Of shape (B, T): the masked words, and 0 for words that are not masked.

        # Returns

        `Dict[str, torch.Tensor]`
            - tokens : (B, T), the predictions for masked words or, without `masked_tokens`, for all
              tokens; -1 elsewhere.
            - loss : [], if `masked_tokens` are given.

        # Raises

        `ConfigurationError`
            If a token has a label that is not in the `label_namespace`.
        """
        selected = encoded_text_mask.bool()
        if masked_tokens is not None:
            selected = selected & (masked_tokens != 0)
        # A Boolean index would be searched for each time.
        positions = selected.nonzero(as_tuple=True)
        logits = self._projection(encoded_text[positions])  # (N, C) for N selected tokens
        predicted = torch.full(selected.shape, PADDING, device=logits.device)
        predicted[positions] = self._labels.most_likely(logits)
        outputs = {"tokens": predicted}
        if masked_tokens is not None:
            outputs["loss"] = self._loss(logits, masked_tokens, selected, positions)
        return outputs

    def _loss(
        self,
        logits: torch.Tensor,
        masked_tokens: torch.Tensor,
        selected: torch.Tensor,
        positions: Tuple[torch.Tensor, ...],
    ) -> torch.Tensor:
        words = masked_tokens[positions].long()  # (N,)
        targets, is_known = self._labels.clamp(words), self._labels.is_label(words)
        losses = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
        if not bool(is_known.all()):
            self._labels.check(words, ~is_known, type(self).__name__, "masked_tokens")
            selected = selected.index_put(positions, is_known)
            positions, losses = selected.nonzero(as_tuple=True), losses[is_known]
        self._mean_loss(losses)
        scattered = losses.new_zeros(selected.shape).index_put(positions, losses)  # (B, T)
        return mean_per_instance(scattered, selected)

    @overrides
    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        """
        `perplexity`: the exponential of the mean loss of all masked words that are not OOV. Nothing
        if there were none.
        """
        if self._mean_loss.count == 0:
            return {}
        # Unlike math.exp, this returns infinity for a very large loss.
        mean_loss = torch.tensor(self._mean_loss.get_metric(reset), dtype=torch.float64)
        return {"perplexity": mean_loss.exp().item()}

    @overrides
    def make_output_human_readable(
        self, output_dict: Dict[str, torch.Tensor]
    ) -> Dict[str, torch.Tensor]:
        """Returns the names of the `tokens` as one list per sequence."""
        if "tokens" not in output_dict:
            return output_dict
        return with_readable(output_dict, tokens=self._labels.names_of(output_dict["tokens"]))
