"""The `dependency_parser` head: a tree over the words of a text."""

from typing import Any, Dict, Optional, Sequence

import torch
from allennlp.data import Vocabulary
from allennlp.models.heads import Head
from allennlp.modules import FeedForward
from allennlp.modules.matrix_attention import BilinearMatrixAttention
from allennlp.nn import Activation
from overrides import overrides

from multitask_model.modules.label_vocabulary import (
    PADDING,
    LabelVocabulary,
    label_indices,
    to_unpadded_lists,
)
from multitask_model.modules.projection import feedforward_output_dim, mean_per_instance
from multitask_model.modules.tree_decoding import decode_mst
from multitask_model.training.metrics.attachment_scores import AttachmentScores

LOWEST = float("-inf")


@Head.register("dependency_parser")
class DependencyParserHead(Head):
    """
    A deep biaffine parser (Dozat and Manning 2017, "Deep Biaffine Attention for Neural Dependency
    Parsing"), without the linear term in the scores of tags. Each word has its head among the other
    words and a root, which is a vector of this module, and a tag of the arc to it. The loss is the
    negative log-likelihood of the heads and of the tags given the true heads, its mean over the
    words of a text and then over the texts. A tag that the vocabulary does not know, which only a
    namespace with an entry for unknown ones allows, does not count in it.

    In training each word takes its most likely head. In evaluation the heads are the most likely
    tree with one word at its root.

    Registered as a `Head` with name "dependency_parser".

    # Parameters

    vocab : `Vocabulary`
    input_dim : `int`
        The size of the encoded words.
    arc_dim : `int`
        The size of the vectors whose affinity says which word is the head of which.
    tag_dim : `int`
        The size of those whose affinity says which tag an arc has.
    feedforward : `FeedForward`, optional (default = `None`)
        Layers before those vectors.
    dropout : `float`, optional (default = `None`)
        Probability of dropping an element of the encoded text, and of those vectors.
    label_namespace : `str`, optional (default = `"head_tags"`)
        The namespace of the tags of arcs.
    ignore_tags : `Sequence[str]`, optional (default = `()`)
        Words whose true tag is one of these do not count in the metrics: `["punct"]`, say.

    # Raises

    `ConfigurationError`
        If there are no tags in the namespace, `ignore_tags` are not among them, or `feedforward`
        does not fit `input_dim`.
    """

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
        ignored = label_indices(vocab, label_namespace, ignore_tags, "ignore_tags")
        self._scores = AttachmentScores(ignore_classes=ignored)

        self._root = torch.nn.Parameter(torch.randn(input_dim) / input_dim**0.5)
        self._dropout = torch.nn.Dropout(dropout or 0.0)
        self._feedforward = feedforward
        size, layer = feedforward_output_dim(feedforward, input_dim), self._layer
        self._arc_of_word, self._arc_of_head = layer(size, arc_dim), layer(size, arc_dim)
        self._tag_of_word, self._tag_of_head = layer(size, tag_dim), layer(size, tag_dim)
        self._arc_affinity = BilinearMatrixAttention(arc_dim, arc_dim, use_input_biases=True)
        # It adds the same to every head of a word, which changes nothing.
        self._arc_affinity._bias.requires_grad_(False)
        self._tag_affinity = torch.nn.Bilinear(tag_dim, tag_dim, len(self._labels))

    def _layer(self, input_dim: int, output_dim: int) -> torch.nn.Module:
        elu = Activation.by_name("elu")()
        return torch.nn.Sequential(torch.nn.Linear(input_dim, output_dim), elu, self._dropout)

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
            Of shape (B, T), `True` where there is a word, from the first column on.
        head_indices : `torch.Tensor`, optional (default = `None`)
            Of shape (B, T): the head of each word, counted from 1; 0 for the root.
        head_tags : `torch.Tensor`, optional (default = `None`)
            Of shape (B, T): the tag of the arc to it.

        # Returns

        `Dict[str, torch.Tensor]`
            - head_indices : (B, T), those predicted, and -1 where there is no word.
            - head_tags : (B, T), likewise.
            - loss : [], if `head_indices` and `head_tags` were given.

        # Raises

        `ValueError`
            If only one of `head_indices` and `head_tags` was given.
        """
        mask: Any = encoded_text_mask.bool()
        encoded = self._with_root(encoded_text)  # (B, T + 1, D)
        arcs = self._arc_scores(encoded, mask)  # (B, T, T + 1)
        tags = _Tags(self._tag_of_word(encoded[:, 1:]), self._tag_of_head(encoded))
        with torch.no_grad():
            heads = arcs.argmax(-1) if self.training else decode_mst(arcs, mask)  # (B, T)
            scores = self._labels.mask_reserved(tags.scores(heads, self._tag_affinity))  # (B, T, C)
            predicted = scores.argmax(-1)  # (B, T)
        outputs = {
            "head_indices": heads.masked_fill(~mask, PADDING),
            "head_tags": predicted.masked_fill(~mask, PADDING),
        }
        if head_indices is not None and head_tags is not None:
            # Padding may have any target, also one that is impossible.
            head_indices = head_indices.long().masked_fill(~mask, 0)
            head_tags = head_tags.long().masked_fill(~mask, 0)
            tag_scores = tags.scores(head_indices, self._tag_affinity)
            known = mask & self._labels.is_label(head_tags)
            loss = _loss(arcs, head_indices, mask) + _loss(tag_scores, head_tags, known)
            outputs["loss"] = loss
            self._scores(heads, predicted, head_indices, head_tags, mask)
        elif head_indices is not None or head_tags is not None:
            found = "head_tags" if head_indices is None else "head_indices"
            raise ValueError(
                "A dependency_parser needs both head_indices and head_tags for a loss, but the "
                f"batch has only {found}. Let the reader give both, or neither."
            )
        return outputs

    def _with_root(self, encoded_text: torch.Tensor) -> torch.Tensor:
        root = self._root.expand(len(encoded_text), 1, -1)  # (B, 1, D)
        encoded = self._dropout(torch.cat([root, encoded_text], dim=1))
        return encoded if self._feedforward is None else self._feedforward(encoded)

    def _arc_scores(self, encoded: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(B, T, T + 1): for each word, how well the root and each word would do as its head."""
        words, heads = self._arc_of_word(encoded[:, 1:]), self._arc_of_head(encoded)
        scores = self._arc_affinity(words, heads)  # (B, T, T + 1)
        length = mask.size(1)
        is_itself = torch.eye(length, length + 1, device=mask.device).roll(1, dims=1).bool()
        is_padding = torch.nn.functional.pad(~mask, (1, 0))  # (B, T + 1); the root is none
        return scores.masked_fill(is_itself | is_padding.unsqueeze(1), LOWEST)

    @overrides
    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        """`UAS` and `LAS`, the shares of words with the right head, and with the right tag too."""
        metrics = self._scores.get_metric(reset)
        return {name: metrics[name] for name in ("UAS", "LAS")}

    @overrides
    def make_output_human_readable(
        self, output_dict: Dict[str, torch.Tensor]
    ) -> Dict[str, torch.Tensor]:
        """`head_indices` and the names of the `head_tags`, a list of each for every text."""
        if "head_tags" not in output_dict:
            return output_dict
        heads = to_unpadded_lists(output_dict["head_indices"])
        tags = self._labels.readable(output_dict["head_tags"])
        readable: Dict[str, Any] = {**output_dict, "head_indices": heads, "head_tags": tags}
        return readable


class _Tags:
    """The vectors of the words (B, T, D) and of their possible heads (B, T + 1, D)."""

    def __init__(self, words: torch.Tensor, heads: torch.Tensor) -> None:
        self._words = words
        self._heads = heads

    def scores(self, heads: torch.Tensor, affinity: torch.nn.Module) -> torch.Tensor:
        """(B, T, C): for each word and the head that it is said to have, one for each tag."""
        index = heads.unsqueeze(-1).expand(-1, -1, self._heads.size(-1))
        words, heads = self._words, self._heads.gather(1, index)
        # Autocast on a CPU passes it over, and it takes no mixture of precisions.
        dtype = next(affinity.parameters()).dtype
        return affinity(words.to(dtype), heads.to(dtype))


def _loss(scores: torch.Tensor, targets: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    losses = torch.nn.functional.cross_entropy(
        scores.transpose(1, 2), targets, reduction="none"
    )  # (B, T)
    return mean_per_instance(losses, mask)
