"""The `crf_tagger` head: spans, predicted by a conditional random field over tags."""

from typing import Dict, Optional, cast

import torch
from allennlp.data import Vocabulary
from allennlp.models.heads import Head
from allennlp.modules import ConditionalRandomField, FeedForward
from overrides import overrides

from multitask_model.modules.label_vocabulary import LabelVocabulary
from multitask_model.modules.predicted_labels import PredictedLabels
from multitask_model.modules.projection import Projection
from multitask_model.modules.readable_outputs import readable_tags
from multitask_model.modules.span_encodings import find_transitions
from multitask_model.modules.viterbi import decode_viterbi
from multitask_model.training.metrics.tag_metrics import TagMetrics


@Head.register("crf_tagger")
class CrfTaggerHead(Head):
    """
    Labels spans of tokens with a linear-chain conditional random field (Lafferty, McCallum and
    Pereira 2001). The loss is the negative log-likelihood of the tag sequences, averaged over
    sequences:

        L = 1/B sum_b -log p(tags[b]),
        p(tags) ~ exp(start[tags[1]] + sum_t logits[t, tags[t]]
                      + sum_t transitions[tags[t], tags[t + 1]] + end[tags[T]])

    The prediction is the most likely tag sequence that the encoding allows. It is also computed in
    training, for the metrics. All sequences of a batch are decoded together on the device of the
    logits, which takes 10% to 25% of the time of the loss and its gradient.

    Registered as a `Head` with name "crf_tagger".

    # Parameters

    vocab : `Vocabulary`
    input_dim : `int`
        The size of the encoded tokens.
    label_encoding : `str`
        The encoding of spans as tags: `"BIO"` or its other name `"IOB2"`, `"IOB1"`, `"BIOUL"`,
        `"BIOES"` or `"BMES"`.
    feedforward : `FeedForward`, optional (default = `None`)
        Layers before the last linear layer.
    dropout : `float`, optional (default = `None`)
        The probability of dropping an element of the encoded tokens.
    label_namespace : `str`, optional (default = `"labels"`)
        The namespace of the tags.

    # Raises

    `ConfigurationError`
        If the namespace has no tags, they do not fit the `label_encoding`, or `feedforward` does
        not fit `input_dim`.

    # Examples

        >>> vocab = Vocabulary(tokens_to_add={"labels": ["O", "B-city", "I-city"]})
        >>> head = CrfTaggerHead(vocab, input_dim=4, label_encoding="BIO")
        >>> for parameter in head.parameters():
        ...     _ = torch.nn.init.zeros_(parameter)  # all sequences have the same probability
        >>> mask = torch.tensor([[True, True]])
        >>> outputs = head(torch.randn(1, 2, 4), mask, tags=torch.tensor([[1, 2]]))
        >>> round(outputs["loss"].item(), 4)  # log 9
        2.1972
    """

    _is_forbidden: torch.Tensor

    label_argument = "tags"

    def __init__(
        self,
        vocab: Vocabulary,
        input_dim: int,
        label_encoding: str,
        feedforward: Optional[FeedForward] = None,
        dropout: Optional[float] = None,
        label_namespace: str = "labels",
    ) -> None:
        super().__init__(vocab)
        self._labels = LabelVocabulary(vocab, label_namespace)
        self._label_encoding = label_encoding
        self._metrics = TagMetrics(self._labels, label_encoding)
        self._projection = Projection(input_dim, len(self._labels), feedforward, dropout)
        transitions = find_transitions(self._labels.names, label_encoding)
        self._crf = ConditionalRandomField(len(self._labels), transitions)
        # As in AllenNLP, the last two indices are the start and the end of a sequence.
        is_forbidden = torch.ones(len(self._labels) + 2, len(self._labels) + 2, dtype=torch.bool)
        is_forbidden[tuple(zip(*transitions))] = False
        self.register_buffer("_is_forbidden", is_forbidden, persistent=False)

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
            Of shape (B, T), `True` for tokens. Every sequence has at least one, and they precede
            all padding.
        tags : `torch.Tensor`, optional (default = `None`)
            Of shape (B, T).

        # Returns

        `Dict[str, torch.Tensor]`
            - logits : (B, T, C), the scores of tags without those of transitions.
            - tags : (B, T), the predicted tags, and -1 for padding.
            - loss : [], if `tags` are given.

        # Raises

        `ConfigurationError`
            If a token has a tag that is not in the `label_namespace`.
        `ValueError`
            If a sequence does not start with a token.
        """
        mask = cast(torch.BoolTensor, encoded_text_mask.bool())
        _check_mask(mask)
        logits = self._projection(encoded_text)  # (B, T, C)
        predicted = self._decode(logits, mask)  # (B, T)
        outputs = {"logits": logits, "tags": predicted}
        if tags is not None:
            tags = tags.long()
            outputs["loss"] = -self._crf(logits, self._labels.clamp(tags), mask) / len(logits)
            self._labels.check(tags, mask, type(self).__name__, "tags")
            self._metrics(predicted, tags, mask)
        return outputs

    @torch.no_grad()
    def _decode(self, logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The most likely tags (B, T) that the encoding allows, with `PADDING`."""
        crf, start, end = self._crf, len(self._labels), len(self._labels) + 1
        logits = logits.float().masked_fill(~mask.unsqueeze(-1), 0.0)
        scores = logits.new_zeros(end + 1, end + 1)
        scores[:start, :start] = crf.transitions
        scores[start, :start], scores[:start, end] = crf.start_transitions, crf.end_transitions
        # The penalty exceeds the difference between any two sequences without it. So a forbidden
        # sequence is only predicted if the vocabulary has the tags of no other.
        largest = logits.abs().amax() + scores.abs().amax()
        scores = scores - self._is_forbidden * (1.0 + 2 * (logits.size(1) + 1) * largest)
        return decode_viterbi(
            logits, mask, scores[:start, :start], scores[start, :start], scores[:start, end]
        )

    @overrides
    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        """`accuracy` of the tags, and the scores of `SpanF1`. Nothing if there were no `tags`."""
        return self._metrics.get_metric(reset)

    @overrides
    def make_output_human_readable(
        self, output_dict: Dict[str, torch.Tensor]
    ) -> Dict[str, torch.Tensor]:
        """
        Returns the names of the `tags` as one list per sequence, unpadded `logits`, and the `spans`
        (see `to_spans`).
        """
        return readable_tags(self._labels, output_dict, self._label_encoding)


def _check_mask(mask: torch.Tensor) -> None:
    if mask.size(1) == 0 or not bool(mask[:, 0].all()):
        raise ValueError(
            "A crf_tagger needs sequences of at least one token, with padding after the tokens, "
            "but got a sequence whose first position is padding. Remove empty sequences from the "
            "data."
        )
