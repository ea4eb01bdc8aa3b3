"""The `crf_tagger` head: spans, by a conditional random field over the tags of a text."""

from typing import Any, Dict, List, Optional

import torch
from allennlp.data import Vocabulary
from allennlp.models.heads import Head
from allennlp.modules import ConditionalRandomField, FeedForward
from allennlp.modules.conditional_random_field import allowed_transitions
from allennlp.training.metrics import CategoricalAccuracy
from overrides import overrides

from multitask_model.modules.label_vocabulary import PADDING, LabelVocabulary, make_tags_readable
from multitask_model.modules.projection import Projection
from multitask_model.training.metrics.span_f1 import SpanF1


@Head.register("crf_tagger")
class CrfTaggerHead(Head):
    """
    Labels spans of tokens with a linear-chain conditional random field (Lafferty, McCallum and
    Pereira 2001). The loss is the negative log-likelihood of the tags of a text, its mean over the
    texts; the predicted tags are the most likely ones of those that the encoding allows.

    Registered as a `Head` with name "crf_tagger".

    # Parameters

    vocab : `Vocabulary`
    input_dim : `int`
        The size of the encoded tokens.
    label_encoding : `str`
        How tags encode spans: `"BIO"`, `"IOB1"`, `"BIOUL"` or `"BMES"`.
    feedforward : `FeedForward`, optional (default = `None`)
        Layers before the scores of the tags.
    dropout : `float`, optional (default = `None`)
        Probability of dropping an element of the encoded text.
    label_namespace : `str`, optional (default = `"labels"`)
        The namespace of the tags.

    # Raises

    `ConfigurationError`
        If there are no tags in the namespace, they do not fit the `label_encoding`, or
        `feedforward` does not fit `input_dim`.
    """

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
        self._spans = SpanF1(vocab, self._labels, label_encoding)
        self._accuracy = CategoricalAccuracy()
        self._projection = Projection(input_dim, len(self._labels), feedforward, dropout)
        transitions = allowed_transitions(label_encoding, dict(enumerate(self._labels.names)))
        self._crf = ConditionalRandomField(len(self._labels), transitions)

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
            Of shape (B, T), `True` where there is a token: at least one in each row, from the
            first column on.
        tags : `torch.Tensor`, optional (default = `None`)
            Of shape (B, T).

        # Returns

        `Dict[str, torch.Tensor]`
            - logits : (B, T, C), the scores of the tags without those of the transitions.
            - tags : (B, T), those predicted, and -1 where there is no token.
            - loss : [], if `tags` were given.

        # Raises

        `ValueError`
            If a row has no token in the first column.
        """
        mask: Any = encoded_text_mask.bool()
        if not bool(mask[:, :1].all()) or mask.size(1) == 0:
            raise ValueError(
                "A crf_tagger needs texts of at least one token, whose mask is true from the first "
                "column on, but in this batch the first column is padding in some row. Leave texts "
                "without tokens out of the data."
            )
        logits = self._projection(encoded_text)  # (B, T, C)
        predicted = self._most_likely(logits, mask)  # (B, T)
        outputs = {"logits": logits, "tags": predicted}
        if tags is not None:
            tags = tags.long()
            outputs["loss"] = -self._crf(logits, tags, mask) / len(logits)
            scores = torch.nn.functional.one_hot(predicted.clamp(min=0), len(self._labels)).float()
            self._accuracy(scores, tags, mask)
            self._spans(scores, tags, mask)
        return outputs

    def _most_likely(self, logits: torch.Tensor, mask: Any) -> torch.Tensor:
        # On the CPU, because it looks at one number after the other.
        best: List[Any] = self._crf.viterbi_tags(logits.detach(), mask)
        rows = [torch.tensor(tags) for tags, _ in best]
        predicted = torch.full(mask.shape, PADDING, dtype=torch.long)  # (B, T)
        for row, tags in enumerate(rows):
            predicted[row, : len(tags)] = tags
        return predicted.to(logits.device)

    @overrides
    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        """`accuracy` of the tags, and of spans what `SpanF1` reports."""
        return {"accuracy": self._accuracy.get_metric(reset), **self._spans.get_metric(reset)}

    @overrides
    def make_output_human_readable(
        self, output_dict: Dict[str, torch.Tensor]
    ) -> Dict[str, torch.Tensor]:
        """The names of the `tags`, a list for each text, and the `logits` without padding."""
        return make_tags_readable(self._labels, output_dict)
