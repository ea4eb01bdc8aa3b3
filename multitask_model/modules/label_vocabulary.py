"""The labels of a head: which there are, which may be predicted, and what they are called."""

from typing import Any, Dict, List, Sequence

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from multitask_model.errors import format_names, suggest

PADDING = -1
"""What stands in a tensor of predictions where there is no token."""


class LabelVocabulary(torch.nn.Module):
    """
    The labels of one namespace of a vocabulary. The entries for padding and for unknown labels that
    a namespace may have are in no label's place: they are never predicted.

    # Parameters

    vocab : `Vocabulary`
    namespace : `str`

    # Raises

    `ConfigurationError`
        If the vocabulary has no label in that namespace.
    """

    _reserved: torch.Tensor

    def __init__(self, vocab: Vocabulary, namespace: str) -> None:
        super().__init__()
        self.namespace = namespace
        # Asking a vocabulary for a namespace that it lacks would make one.
        is_there = namespace in vocab.get_namespaces()
        names = vocab.get_index_to_token_vocabulary(namespace) if is_there else {}
        self.names = [names[index] for index in range(len(names))]
        self.is_padded = is_there and vocab.is_padded(namespace)
        reserved = (vocab._padding_token, vocab._oov_token) if self.is_padded else ()
        self.real = [i for i, name in enumerate(self.names) if name not in reserved]
        if not self.real:
            known = sorted(vocab.get_namespaces())
            raise ConfigurationError(
                "The label_namespace of a head must be a namespace of the vocabulary that has "
                f"labels, but {namespace!r} has none; the namespaces are {format_names(known)}."
                f"{suggest(namespace, set(known) - {namespace})} Set label_namespace to the "
                "namespace that the dataset reader puts these labels into."
            )
        is_reserved = torch.ones(len(self.names), dtype=torch.bool)
        is_reserved[self.real] = False
        self.register_buffer("_reserved", is_reserved, persistent=False)

    def __len__(self) -> int:
        """How many scores a head has to give: one for each entry of the namespace."""
        return len(self.names)

    def mask_reserved(self, scores: torch.Tensor) -> torch.Tensor:
        """
        # Parameters

        scores : `torch.Tensor`
            Of shape (..., C).

        # Returns

        `torch.Tensor`
            The same, and minus infinity for what is no label. No copy if there is no such entry.
        """
        if len(self.real) == len(self.names):
            return scores
        return scores.masked_fill(self._reserved, float("-inf"))

    def is_label(self, indices: torch.Tensor) -> torch.Tensor:
        """Of any shape: `True` where there is the index of a label."""
        return ~self._reserved[indices]

    def readable(self, indices: torch.Tensor) -> List[List[str]]:
        """
        # Parameters

        indices : `torch.Tensor`
            Of shape (B, T), with `PADDING` where there is no token.

        # Returns

        `List[List[str]]`
            The names of each row, without padding.
        """
        return [[self.names[index] for index in row] for row in to_unpadded_lists(indices)]


def to_unpadded_lists(values: torch.Tensor) -> List[List[int]]:
    """Of shape (B, T): each row as a list, without `PADDING`."""
    return [[value for value in row if value != PADDING] for row in values.tolist()]


def strip_padding(values: torch.Tensor, of: torch.Tensor) -> List[torch.Tensor]:
    """
    # Parameters

    values : `torch.Tensor`
        Of shape (B, T, ...).
    of : `torch.Tensor`
        Of shape (B, T), with `PADDING` where there is no token.

    # Returns

    `List[torch.Tensor]`
        The values of each row without those of padding, of shape (T of the row, ...).
    """
    return [row[is_token] for row, is_token in zip(values, of != PADDING)]


def make_tags_readable(
    labels: LabelVocabulary, output_dict: Dict[str, torch.Tensor]
) -> Dict[str, Any]:
    """The outputs of a tagger: the names of the `tags`, and the `logits` without padding."""
    if "tags" not in output_dict:
        return output_dict
    tags = output_dict["tags"]
    logits = strip_padding(output_dict["logits"], tags)
    return {**output_dict, "logits": logits, "tags": labels.readable(tags)}


def label_indices(
    vocab: Vocabulary, namespace: str, names: Sequence[str], parameter: str
) -> List[int]:
    """
    # Raises

    `ConfigurationError`
        If one of the `names`, which are the value of `parameter`, is not in the namespace.
    """
    known = vocab.get_token_to_index_vocabulary(namespace)
    for name in names:
        if name not in known:
            raise ConfigurationError(
                f"{parameter} must hold labels of the namespace {namespace!r}, but {name!r} is "
                f"not one of {format_names(sorted(known))}.{suggest(name, known)} Correct or "
                f"remove it."
            )
    return [known[name] for name in names]
