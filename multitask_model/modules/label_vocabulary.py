"""The labels that a head predicts, and their names."""

from typing import List, Sequence

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from multitask_model.compat.allennlp_internals import reserved_tokens
from multitask_model.errors import format_names, suggest
from multitask_model.modules.padded_predictions import to_unpadded_lists


class LabelVocabulary(torch.nn.Module):
    """
    The labels in one namespace of a vocabulary. Padding and OOV entries are masked and never
    predicted.

    # Parameters

    vocab : `Vocabulary`
    namespace : `str`

    # Raises

    `ConfigurationError`
        If the namespace has no labels.

    # Examples

        >>> vocab = Vocabulary(tokens_to_add={"lemmas": ["go", "see"]})
        >>> labels = LabelVocabulary(vocab, "lemmas")
        >>> labels.names
        ['@@PADDING@@', '@@UNKNOWN@@', 'go', 'see']
        >>> labels.mask_reserved(torch.tensor([[5.0, 5.0, 1.0, 2.0]]))
        tensor([[-inf, -inf, 1., 2.]])
        >>> labels.is_label(torch.tensor([1, 3]))
        tensor([False,  True])
    """

    _is_reserved: torch.Tensor

    def __init__(self, vocab: Vocabulary, namespace: str) -> None:
        super().__init__()
        self.namespace = namespace
        self._vocab = vocab
        # Vocabulary creates a missing namespace when it is asked for its entries.
        exists = namespace in vocab.get_namespaces()
        tokens = vocab.get_index_to_token_vocabulary(namespace) if exists else {}
        self.names: List[str] = [tokens[index] for index in range(len(tokens))]
        """The entries of the namespace by index, padding and OOV included."""
        self.is_padded = exists and vocab.is_padded(namespace)
        """Whether the namespace has padding and OOV entries."""
        reserved = reserved_tokens(vocab) if self.is_padded else ()
        self.indices: List[int] = [i for i, n in enumerate(self.names) if n not in reserved]
        """The indices of the labels, padding and OOV excluded."""
        if not self.indices:
            raise _no_labels(vocab, namespace)
        is_reserved = torch.ones(len(self.names), dtype=torch.bool)
        is_reserved[self.indices] = False
        self.register_buffer("_is_reserved", is_reserved, persistent=False)
        self._has_reserved = len(self.indices) < len(self.names)

    def __len__(self) -> int:
        """The number of entries, padding and OOV included: how many scores a head computes."""
        return len(self.names)

    def mask_reserved(self, scores: torch.Tensor) -> torch.Tensor:
        """
        # Parameters

        scores : `torch.Tensor`
            Of shape (..., C).

        # Returns

        `torch.Tensor`
            The scores with minus infinity for padding and OOV. The same tensor, not a copy, if the
            namespace has neither.
        """
        if not self._has_reserved:
            return scores
        return scores.masked_fill(self._is_reserved, float("-inf"))

    def most_likely(self, scores: torch.Tensor) -> torch.Tensor:
        """
        # Parameters

        scores : `torch.Tensor`
            Of shape (..., C).

        # Returns

        `torch.Tensor`
            Of shape (...): the index of the label with the highest score, never padding or OOV.
        """
        first, number = self.indices[0], len(self.indices)
        if self.indices[-1] - first == number - 1:
            # The scores of consecutive labels are a view. `mask_reserved` copies all scores.
            return scores.narrow(-1, first, number).argmax(-1) + first
        return self.mask_reserved(scores).argmax(-1)

    def is_label(self, indices: torch.Tensor) -> torch.Tensor:
        """`True` where `indices`, of any shape, hold the index of a label. Any integers."""
        is_entry = self._is_entry(indices)
        if not self._has_reserved:
            return is_entry
        return is_entry & ~self._is_reserved[indices.masked_fill(~is_entry, 0)]

    def select(self, scores: torch.Tensor) -> torch.Tensor:
        """
        # Parameters

        scores : `torch.Tensor`
            Of shape (B, C).

        # Returns

        `torch.Tensor`
            The scores of labels, without padding and OOV. The same tensor, not a copy, if the
            namespace has neither.
        """
        return scores[:, self.indices] if self._has_reserved else scores

    def clamp(self, indices: torch.Tensor) -> torch.Tensor:
        """The same `indices`, with 0 in place of those that are not indices of the namespace."""
        return indices.masked_fill(~self._is_entry(indices), 0)

    def check(self, indices: torch.Tensor, mask: torch.Tensor, head: str, argument: str) -> None:
        """
        Checks that labels are indices of the namespace. This synchronizes with the device, so call
        it where the metrics do so too, and `clamp` the indices before.

        # Parameters

        indices : `torch.Tensor`
            The labels of a batch, of shape (B, T).
        mask : `torch.Tensor`
            Of shape (B, T), `True` where `indices` matter.
        head : `str`
            The class of the head, for the error message.
        argument : `str`
            The argument of its `forward` that the labels come from, for the error message.

        # Raises

        `ConfigurationError`
            If the namespace lacks one of the indices.
        """
        is_invalid = mask & ~self._is_entry(indices)
        if bool(is_invalid.any()):
            raise self.mismatch(
                head,
                f"{argument} to be indices from 0 to {len(self) - 1}",
                str(indices[is_invalid][0].item()),
            )

    def mismatch(self, head: str, required: str, found: str) -> ConfigurationError:
        """The error for labels that are not of the namespace."""
        known = sorted(self._vocab.get_namespaces())
        return ConfigurationError(
            f"A {head} needs {required}, which are labels of its label_namespace "
            f"{self.namespace!r}, {format_names(self.names)}, but got {found}. Set label_namespace "
            "to the namespace that the dataset reader writes the labels to. Known namespaces: "
            f"{format_names(known)}."
        )

    def _is_entry(self, indices: torch.Tensor) -> torch.Tensor:
        return (indices >= 0) & (indices < len(self.names))

    def names_of(self, indices: torch.Tensor) -> List[List[str]]:
        """
        # Parameters

        indices : `torch.Tensor`
            Of shape (B, T), with `PADDING` where there is no token.

        # Returns

        `List[List[str]]`
            The names of each row, without padding.
        """
        return [[self.names[index] for index in row] for row in to_unpadded_lists(indices)]

    def indices_of(self, names: Sequence[str], parameter: str) -> List[int]:
        """
        # Parameters

        names : `Sequence[str]`
        parameter : `str`
            The constructor parameter that the names come from, for the error message.

        # Returns

        `List[int]`

        # Raises

        `ConfigurationError`
            If the namespace lacks one of the names.
        """
        for name in names:
            if name not in self.names:
                raise ConfigurationError(
                    f"{parameter} must hold labels of the namespace {self.namespace!r}, but got "
                    f"{name!r}.{suggest(name, self.names)} Known labels: "
                    f"{format_names(sorted(self.names))}."
                )
        return [self.names.index(name) for name in names]


def _no_labels(vocab: Vocabulary, namespace: str) -> ConfigurationError:
    known = sorted(vocab.get_namespaces())
    return ConfigurationError(
        "The label_namespace of a head must be a namespace of the vocabulary that has labels, but "
        f"got {namespace!r}, which has none.{suggest(namespace, set(known) - {namespace})} Set "
        "label_namespace to the namespace that the dataset reader writes the labels to. Known "
        f"namespaces: {format_names(known)}."
    )
