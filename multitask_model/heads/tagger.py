"""The `tagger` head: one label for each token, each chosen for itself."""

from typing import Any, Dict, Optional

import torch
from allennlp.data import Vocabulary
from allennlp.models.heads import Head
from allennlp.modules import FeedForward
from allennlp.training.metrics import CategoricalAccuracy
from overrides import overrides

from multitask_model.modules.label_vocabulary import PADDING, LabelVocabulary, make_tags_readable
from multitask_model.modules.projection import Projection, mean_per_instance
from multitask_model.training.metrics.span_f1 import SpanF1


@Head.register("tagger")
class TaggerHead(Head):
    """
    Labels each token: parts of speech, morphology, edit scripts of lemmas, or, with a
    `label_encoding`, spans. The loss is the cross entropy, its mean over the tokens of a text and
    then over the texts.

    A tag that the vocabulary does not know, which only a namespace with an entry for unknown ones
    allows, does not count in the loss and counts as an error in the accuracy.

    Registered as a `Head` with name "tagger".

    # Parameters

    vocab : `Vocabulary`
    input_dim : `int`
        The size of the encoded tokens.
    feedforward : `FeedForward`, optional (default = `None`)
        Layers before the last one.
    dropout : `float`, optional (default = `None`)
        Probability of dropping an element of the encoded text.
    label_namespace : `str`, optional (default = `"labels"`)
        The namespace of the tags.
    label_encoding : `str`, optional (default = `None`)
        How tags encode spans: `"BIO"`, `"IOB1"`, `"BIOUL"` or `"BMES"`. With it, precision, recall
        and F1 of spans are reported.

    # Raises

    `ConfigurationError`
        If there are no tags in the namespace, they do not fit the `label_encoding`, or
        `feedforward` does not fit `input_dim`.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        input_dim: int,
        feedforward: Optional[FeedForward] = None,
        dropout: Optional[float] = None,
        label_namespace: str = "labels",
        label_encoding: Optional[str] = None,
    ) -> None:
        super().__init__(vocab)
        self._labels = LabelVocabulary(vocab, label_namespace)
        self._projection = Projection(input_dim, len(self._labels), feedforward, dropout)
        self._accuracy = CategoricalAccuracy()
        self._spans = SpanF1(vocab, self._labels, label_encoding) if label_encoding else None

    def forward(
        self,
        encoded_text: torch.Tensor,
        encoded_text_mask: torch.Tensor,
        tags: Optional[torch.Tensor] = None,
    ) -> Dict[str, torch.Tensor]:
        """
        # Parameters

        encoded_text : `torch.Tensor`
            Of shape (B, T, D).
        encoded_text_mask : `torch.Tensor`
            Of shape (B, T), `True` where there is a token.
        tags : `torch.Tensor`, optional (default = `None`)
            Of shape (B, T).

        # Returns

        `Dict[str, torch.Tensor]`
            - logits : (B, T, C).
            - tags : (B, T), those predicted, and -1 where there is no token.
            - loss : [], if `tags` were given.
        """
        mask: Any = encoded_text_mask.bool()
        logits = self._projection(encoded_text)  # (B, T, C)
        scores = self._labels.mask_reserved(logits)
        outputs = {"logits": logits, "tags": scores.argmax(-1).masked_fill(~mask, PADDING)}
        if tags is not None:
            tags = tags.long()
            outputs["loss"] = self._loss(logits, tags, mask)
            self._accuracy(scores, tags, mask)
            if self._spans is not None:
                self._spans(scores, tags, mask)
        return outputs

    def _loss(self, logits: torch.Tensor, tags: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        losses = torch.nn.functional.cross_entropy(
            logits.transpose(1, 2), tags, reduction="none"
        )  # (B, T)
        return mean_per_instance(losses, mask & self._labels.is_label(tags))

    @overrides
    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        """`accuracy`, and with a `label_encoding` what `SpanF1` reports."""
        metrics = {"accuracy": self._accuracy.get_metric(reset)}
        if self._spans is not None:
            metrics.update(self._spans.get_metric(reset))
        return metrics

    @overrides
    def make_output_human_readable(
        self, output_dict: Dict[str, torch.Tensor]
    ) -> Dict[str, torch.Tensor]:
        """The names of the `tags`, a list for each text, and the `logits` without padding."""
        return make_tags_readable(self._labels, output_dict)
