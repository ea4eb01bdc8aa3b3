"""The `tagger` head: one label for each token, predicted independently of the others."""

from typing import Dict, Optional

import torch
from allennlp.data import Vocabulary
from allennlp.models.heads import Head
from allennlp.modules import FeedForward
from overrides import overrides

from multitask_model.modules.label_vocabulary import LabelVocabulary
from multitask_model.modules.padded_predictions import PADDING
from multitask_model.modules.predicted_labels import PredictedLabels
from multitask_model.modules.projection import Projection
from multitask_model.modules.readable_outputs import readable_tags
from multitask_model.modules.token_losses import cross_entropy_per_instance
from multitask_model.training.metrics.tag_metrics import TagMetrics


@Head.register("tagger")
class TaggerHead(Head):
    """
    Labels each token: part-of-speech tags, morphological features, edit scripts of lemmas or, with
    a `label_encoding`, spans. The loss is the cross entropy, averaged over the tokens of each
    sequence and then over sequences:

        L = 1/B sum_b 1/T_b sum_t -log softmax(logits[b, t])[tags[b, t]]

    If the namespace has an OOV entry, OOV tags are excluded from the loss and count as errors in
    the accuracy.

    Registered as a `Head` with name "tagger".

    # Parameters

    vocab : `Vocabulary`
    input_dim : `int`
        The size of the encoded tokens.
    feedforward : `FeedForward`, optional (default = `None`)
        Layers before the last linear layer.
    dropout : `float`, optional (default = `None`)
        The probability of dropping an element of the encoded tokens.
    label_namespace : `str`, optional (default = `"labels"`)
        The namespace of the tags.
    label_encoding : `str`, optional (default = `None`)
        The encoding of spans as tags: `"BIO"` or its other name `"IOB2"`, `"IOB1"`, `"BIOUL"`,
        `"BIOES"` or `"BMES"`. If given, the metrics include precision, recall and F1 of spans.

    # Raises

    `ConfigurationError`
        If the namespace has no tags, they do not fit the `label_encoding`, or `feedforward` does
        not fit `input_dim`.

    # Examples

        >>> vocab = Vocabulary(tokens_to_add={"labels": ["DET", "NOUN", "VERB"]})
        >>> head = TaggerHead(vocab, input_dim=4)
        >>> for parameter in head.parameters():
        ...     _ = torch.nn.init.zeros_(parameter)  # all tags have the same probability
        >>> mask = torch.tensor([[True, True]])
        >>> outputs = head(torch.randn(1, 2, 4), mask, tags=torch.tensor([[0, 1]]))
        >>> round(outputs["loss"].item(), 4)  # log 3
        1.0986
    """

    label_argument = "tags"

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
        self._label_encoding = label_encoding
        self._metrics = TagMetrics(self._labels, label_encoding)
        self._projection = Projection(input_dim, len(self._labels), feedforward, dropout)

    def get_input_dim(self) -> int:
        """The size of the encoded tokens that the head accepts."""
        return self._projection.input_dim

    def predicted_labels(self) -> PredictedLabels:
        """The tags, for a report."""
        return PredictedLabels("tags", "tags", self._labels.names, self._label_encoding)

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
            Of shape (B, T), `True` for tokens.
        tags : `torch.Tensor`, optional (default = `None`)
            Of shape (B, T).

        # Returns

        `Dict[str, torch.Tensor]`
            - logits : (B, T, C).
            - tags : (B, T), the predicted tags, and -1 for padding.
            - loss : [], if `tags` are given.

        # Raises

        `ConfigurationError`
            If a token has a tag that is not in the `label_namespace`.
        """
        mask = encoded_text_mask.bool()
        logits = self._projection(encoded_text)  # (B, T, C)
        predicted = self._labels.most_likely(logits).masked_fill(~mask, PADDING)
        outputs = {"logits": logits, "tags": predicted}
        if tags is not None:
            tags = tags.long()
            is_known = mask & self._labels.is_label(tags)
            targets = self._labels.clamp(tags)
            outputs["loss"] = cross_entropy_per_instance(logits, targets, is_known)
            self._labels.check(tags, mask, type(self).__name__, "tags")
            self._metrics(predicted, tags, mask)
        return outputs

    @overrides
    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        """
        `accuracy` and, with a `label_encoding`, the scores of `SpanF1`. Nothing if there were no
        `tags`.
        """
        return self._metrics.get_metric(reset)

    @overrides
    def make_output_human_readable(
        self, output_dict: Dict[str, torch.Tensor]
    ) -> Dict[str, torch.Tensor]:
        """
        Returns the names of the `tags` as one list per sequence, unpadded `logits` and, with a
        `label_encoding`, the `spans` (see `to_spans`).
        """
        return readable_tags(self._labels, output_dict, self._label_encoding)
