"""The `masked_language_model` head: the words that were masked in a text."""

from typing import Any, Dict, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.models.heads import Head
from allennlp.modules import FeedForward
from allennlp.training.metrics import MeanAbsoluteError
from overrides import overrides

from multitask_model.modules.label_vocabulary import PADDING, LabelVocabulary
from multitask_model.modules.projection import Projection, mean_per_instance


@Head.register("masked_language_model")
class MaskedLanguageModelHead(Head):
    """
    Predicts masked words from what the backbone made of the rest of the text (Devlin, Chang, Lee
    and Toutanova 2019): an auxiliary loss for the backbone that needs nothing but text. The dataset
    reader `masked_tokens` masks the words and keeps them as labels. The loss is the cross entropy
    of the masked words, its mean over those of a text and then over the texts; words that the
    vocabulary does not know do not count.

    Registered as a `Head` with name "masked_language_model".

    # Parameters

    vocab : `Vocabulary`
    input_dim : `int`
        The size of the encoded tokens.
    feedforward : `FeedForward`, optional (default = `None`)
        Layers before the last one.
    dropout : `float`, optional (default = `None`)
        Probability of dropping an element of the encoded text.
    label_namespace : `str`, optional (default = `"masked_tokens"`)
        The namespace of the words that may be predicted.

    # Raises

    `ConfigurationError`
        If the namespace has no words or no entry for padding, or `feedforward` does not fit
        `input_dim`.
    """

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
                "The label_namespace of a masked_language_model must have entries for padding, "
                f"which stands where no word was masked, but {label_namespace!r} has none. Choose "
                "a name that does not end in 'tags' or 'labels', in the dataset reader too."
            )
        self._projection = Projection(input_dim, len(self._labels), feedforward, dropout)
        self._mean_loss = MeanAbsoluteError()  # of losses, none of which is negative

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
            Of shape (B, T), `True` where there is a token.
        masked_tokens : `torch.Tensor`, optional (default = `None`)
            Of shape (B, T): the words that were masked, and 0 where none was.

        # Returns

        `Dict[str, torch.Tensor]`
            - tokens : (B, T), the words predicted where one was masked, or, without
              `masked_tokens`, for every token; -1 elsewhere.
            - loss : [], if `masked_tokens` were given.
        """
        chosen = encoded_text_mask.bool()
        if masked_tokens is not None:
            chosen = chosen & (masked_tokens != 0)
        logits = self._projection(encoded_text[chosen])  # (N, C), of the N tokens chosen
        predicted = torch.full(chosen.shape, PADDING, device=logits.device)
        predicted[chosen] = self._labels.mask_reserved(logits).argmax(-1)
        outputs = {"tokens": predicted}
        if masked_tokens is not None:
            outputs["loss"] = self._loss(logits, masked_tokens.long(), chosen)
        return outputs

    def _loss(
        self, logits: torch.Tensor, words: torch.Tensor, chosen: torch.Tensor
    ) -> torch.Tensor:
        losses = torch.nn.functional.cross_entropy(logits, words[chosen], reduction="none")  # (N,)
        known = self._labels.is_label(words)
        # Also of no word at all: in distributed training all processes have to call it.
        counted = losses.detach().float()[known[chosen]]
        self._mean_loss(counted, torch.zeros_like(counted))
        placed = losses.new_zeros(chosen.shape).masked_scatter(chosen, losses)  # (B, T)
        return mean_per_instance(placed, chosen & known)

    @overrides
    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        """
        `perplexity`, the exponential of the mean loss of the masked words that the vocabulary
        knows; nothing before there was one.
        """
        metrics: Dict[str, float] = {}
        if self._mean_loss._total_count > 0:
            mean_loss = torch.tensor(self._mean_loss.get_metric()["mae"], dtype=torch.double)
            metrics["perplexity"] = mean_loss.exp().item()
        if reset:
            self._mean_loss.reset()
        return metrics

    @overrides
    def make_output_human_readable(
        self, output_dict: Dict[str, torch.Tensor]
    ) -> Dict[str, torch.Tensor]:
        """The names of the `tokens`, a list for each text."""
        if "tokens" not in output_dict:
            return output_dict
        readable: Dict[str, Any] = {
            **output_dict,
            "tokens": self._labels.readable(output_dict["tokens"]),
        }
        return readable
