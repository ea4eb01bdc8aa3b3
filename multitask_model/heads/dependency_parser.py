"""The `dependency_parser` head: a labeled tree over the words of a sentence."""

from typing import Dict, Optional, Sequence, Tuple

import torch
from allennlp.data import Vocabulary
from allennlp.models.heads import Head
from allennlp.modules import FeedForward
from allennlp.modules.matrix_attention import BilinearMatrixAttention
from allennlp.nn import Activation
from overrides import overrides

from multitask_model.compat.allennlp_internals import freeze_bias
from multitask_model.modules.bilinear import project_bilinear, score_bilinear
from multitask_model.modules.gold_heads import are_heads, candidates, check_finite, check_heads
from multitask_model.modules.label_vocabulary import LabelVocabulary
from multitask_model.modules.padded_predictions import PADDING, to_unpadded_lists
from multitask_model.modules.projection import feedforward_output_dim
from multitask_model.modules.readable_outputs import with_readable
from multitask_model.modules.token_losses import cross_entropy_per_instance
from multitask_model.modules.tree_decoding import decode_mst
from multitask_model.training.metrics.attachment_scores import AttachmentScores


@Head.register("dependency_parser")
class DependencyParserHead(Head):
    """
    A deep biaffine parser (Dozat and Manning 2017, "Deep Biaffine Attention for Neural Dependency
    Parsing"). Each word has one head, which is another word or the root (a learned vector), and a
    tag of the arc to it. With 1 appended to both vectors, the score of an arc is

        s(word, head) = word' U head

    Tag scores are bilinear too; they lack the linear term of the paper. The loss is the negative
    log-likelihood of the heads, plus that of the tags given the gold heads, each averaged over the
    words of a sentence and then over sentences. If the namespace has an OOV entry, OOV tags are
    excluded from the loss.

    In training mode, the predicted head of each word is the most likely one. In evaluation mode,
    the heads are the most likely tree with exactly one child of the root.

    Registered as a `Head` with name "dependency_parser".

    # Parameters

    vocab : `Vocabulary`
    input_dim : `int`
        The size of the encoded words.
    arc_dim : `int`
        The size of the vectors that arcs are scored from.
    tag_dim : `int`
        The size of the vectors that tags are scored from.
    feedforward : `FeedForward`, optional (default = `None`)
        Layers before those vectors.
    dropout : `float`, optional (default = `None`)
        The probability of dropping an element of the encoded words and of those vectors.
    label_namespace : `str`, optional (default = `"head_tags"`)
        The namespace of the tags.
    ignore_tags : `Sequence[str]`, optional (default = `()`)
        Words with one of these gold tags are excluded from the metrics, such as `["punct"]`.

    # Raises

    `ConfigurationError`
        If the namespace has no tags or lacks one of the `ignore_tags`, or `feedforward` does not
        fit `input_dim`.

    # Examples

        >>> vocab = Vocabulary(tokens_to_add={"head_tags": ["root", "nsubj", "obj"]})
        >>> head = DependencyParserHead(vocab, input_dim=4, arc_dim=3, tag_dim=2)
        >>> for parameter in head.parameters():
        ...     _ = torch.nn.init.zeros_(parameter)  # all heads and tags have the same probability
        >>> mask, heads, tags = torch.ones(1, 2), torch.tensor([[2, 0]]), torch.tensor([[1, 0]])
        >>> outputs = head(torch.randn(1, 2, 4), mask, head_indices=heads, head_tags=tags)
        >>> round(outputs["loss"].item(), 4)  # log 2 for the head, log 3 for the tag
        1.7918
    """

    label_argument = "head_tags"

    def __init__(
        self,
        vocab: Vocabulary,
        input_dim: int,
        arc_dim: int,
        tag_dim: int,
        feedforward: Optional[FeedForward] = None,
        dropout: Optional[float] = None,
        label_namespace: str = "head_tags",
        ignore_tags: Sequence[str] = (),
    ) -> None:
        super().__init__(vocab)
        self._labels = LabelVocabulary(vocab, label_namespace)
        ignored = self._labels.indices_of(ignore_tags, "ignore_tags")
        self._scores = AttachmentScores(ignore_classes=ignored)

        self._root = torch.nn.Parameter(torch.randn(input_dim) / input_dim**0.5)
        self._dropout = torch.nn.Dropout(dropout or 0.0)
        self._feedforward = feedforward
        size, layer = feedforward_output_dim(feedforward, input_dim), self._layer
        self._arc_of_word, self._arc_of_head = layer(size, arc_dim), layer(size, arc_dim)
        self._tag_of_word, self._tag_of_head = layer(size, tag_dim), layer(size, tag_dim)
        self._arc_affinity = BilinearMatrixAttention(arc_dim, arc_dim, use_input_biases=True)
        freeze_bias(self._arc_affinity)
        self._tag_affinity = torch.nn.Bilinear(tag_dim, tag_dim, len(self._labels))

    def _layer(self, input_dim: int, output_dim: int) -> torch.nn.Module:
        elu = Activation.by_name("elu")()
        return torch.nn.Sequential(torch.nn.Linear(input_dim, output_dim), elu, self._dropout)

    def get_input_dim(self) -> int:
        """The size of the encoded words that the head accepts."""
        return len(self._root)

    def forward(
        self,
        encoded_text: torch.Tensor,
        encoded_text_mask: torch.Tensor,
        head_indices: Optional[torch.Tensor] = None,
        head_tags: Optional[torch.Tensor] = None,
    ) -> Dict[str, torch.Tensor]:
        """
        # Parameters

        encoded_text : `torch.Tensor`
            Of shape (B, T, D).
        encoded_text_mask : `torch.Tensor`
            Of shape (B, T), `True` for words, which precede all padding.
        head_indices : `torch.Tensor`, optional (default = `None`)
            Of shape (B, T): the head of each word, counted from 1; 0 for the root.
        head_tags : `torch.Tensor`, optional (default = `None`)
            Of shape (B, T): the tag of the arc to it.

        # Returns

        `Dict[str, torch.Tensor]`
            - head_indices : (B, T), the predicted heads, and -1 for padding.
            - head_tags : (B, T), the predicted tags, and -1 for padding.
            - loss : [], if `head_indices` and `head_tags` are given.

        # Raises

        `ConfigurationError`
            If a word has a tag that is not in the `label_namespace`.
        `ValueError`
            If only one of `head_indices` and `head_tags` is given; the head of a word is the word
            itself or no word of its sentence; or, in evaluation mode, a score is NaN or infinite.
        """
        _check_labels(head_indices, head_tags)
        mask = encoded_text_mask.bool()
        encoded = self._encode(encoded_text)  # (B, T + 1, D)
        arcs = self._arc_scores(encoded, mask)  # (B, T, T + 1)
        of_words, of_heads = self._tag_of_word(encoded[:, 1:]), self._tag_of_head(encoded)
        # Used for the predicted heads and for the gold heads.
        vectors = project_bilinear(self._tag_affinity, of_words), of_heads
        heads, tags = self._predict(arcs, vectors, mask)
        outputs = {"head_indices": heads, "head_tags": tags}
        if head_indices is not None and head_tags is not None:
            # Invalid labels would end the process on a GPU. Those of padding may be invalid.
            is_invalid = mask & ~are_heads(head_indices, mask)
            gold_heads = head_indices.long().masked_fill(is_invalid | ~mask, 0)
            gold_tags = self._labels.clamp(head_tags.long())
            outputs["loss"] = self._loss(arcs, vectors, gold_heads, gold_tags, mask)
            check_heads(head_indices, is_invalid, mask)
            self._labels.check(head_tags, mask, type(self).__name__, "head_tags")
            self._scores(heads, tags, gold_heads, gold_tags, mask)
        return outputs

    def arc_scores(self, encoded_text: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """
        # Parameters

        encoded_text : `torch.Tensor`
            Of shape (B, T, D).
        mask : `torch.Tensor`
            Of shape (B, T), `True` for words, which precede all padding.

        # Returns

        `torch.Tensor`
            Of shape (B, T, T + 1): for each word, the scores of the root and of each word as its
            head. Minus infinity for padding and for the word itself.
        """
        return self._arc_scores(self._encode(encoded_text), mask.bool())

    def _encode(self, encoded_text: torch.Tensor) -> torch.Tensor:
        root = self._root.expand(len(encoded_text), 1, -1)  # (B, 1, D)
        encoded: torch.Tensor = self._dropout(torch.cat([root, encoded_text], dim=1))
        return encoded if self._feedforward is None else self._feedforward(encoded)

    def _arc_scores(self, encoded: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        words, heads = self._arc_of_word(encoded[:, 1:]), self._arc_of_head(encoded)
        scores: torch.Tensor = self._arc_affinity(words, heads)  # (B, T, T + 1)
        return scores.masked_fill(~candidates(mask), float("-inf"))

    def _tag_scores(
        self, vectors: Tuple[torch.Tensor, torch.Tensor], heads: torch.Tensor
    ) -> torch.Tensor:
        """The scores (B, T, C) of tags for the arcs to `heads`; see `forward` for `vectors`."""
        of_words, of_heads = vectors  # (B, T, C, tag_dim) and (B, T + 1, tag_dim)
        index = heads.unsqueeze(-1).expand(-1, -1, of_heads.size(-1))
        return score_bilinear(self._tag_affinity, of_words, of_heads.gather(1, index))

    @torch.no_grad()
    def _predict(
        self, arcs: torch.Tensor, vectors: Tuple[torch.Tensor, torch.Tensor], mask: torch.Tensor
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """The predicted heads and tags, both (B, T), with `PADDING`."""
        if self.training:
            heads = arcs.argmax(-1)  # (B, T)
        else:
            check_finite(arcs, candidates(mask) & mask.unsqueeze(-1), "arcs")
            heads = decode_mst(arcs, mask)
        scores = self._tag_scores(vectors, heads)  # (B, T, C)
        if not self.training:
            check_finite(scores, mask.unsqueeze(-1), "tags")
        tags = self._labels.most_likely(scores)
        return heads.masked_fill(~mask, PADDING), tags.masked_fill(~mask, PADDING)

    def _loss(
        self,
        arcs: torch.Tensor,
        vectors: Tuple[torch.Tensor, torch.Tensor],
        heads: torch.Tensor,
        tags: torch.Tensor,
        mask: torch.Tensor,
    ) -> torch.Tensor:
        is_known = mask & self._labels.is_label(tags)
        of_tags = cross_entropy_per_instance(self._tag_scores(vectors, heads), tags, is_known)
        return cross_entropy_per_instance(arcs, heads, mask) + of_tags

    @overrides
    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        """
        `UAS` and `LAS`: the proportions of words with the correct head, and head and tag. Nothing
        if there were no labels.
        """
        return self._scores.get_metric(reset)

    @overrides
    def make_output_human_readable(
        self, output_dict: Dict[str, torch.Tensor]
    ) -> Dict[str, torch.Tensor]:
        """Returns `head_indices` and the names of the `head_tags` as one list per sentence."""
        if "head_tags" not in output_dict:
            return output_dict
        heads = to_unpadded_lists(output_dict["head_indices"])
        tags = self._labels.names_of(output_dict["head_tags"])
        return with_readable(output_dict, head_indices=heads, head_tags=tags)


def _check_labels(head_indices: Optional[torch.Tensor], head_tags: Optional[torch.Tensor]) -> None:
    if (head_indices is None) != (head_tags is None):
        found = "head_tags" if head_indices is None else "head_indices"
        raise ValueError(
            "A dependency_parser needs both head_indices and head_tags for a loss, but got only "
            f"{found}. Return both from the dataset reader, or neither."
        )
