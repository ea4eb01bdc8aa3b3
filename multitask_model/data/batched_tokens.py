"""Tensors of the indexed tokens of a batch."""

from typing import Any, Dict, List, Mapping, Sequence

import torch
from allennlp.data.token_indexers import (
    PretrainedTransformerIndexer,
    PretrainedTransformerMismatchedIndexer,
    SingleIdTokenIndexer,
    TokenIndexer,
)
from allennlp.nn import util as nn_util
from torch import Tensor

from multitask_model.data.padded_rows import pad_rows

Tokens = Mapping[str, List[Any]]
"""The indexed tokens of an instance: lists of integers, of Booleans or, for offsets, of pairs."""


def pads_rows(indexer: TokenIndexer) -> bool:
    """Whether the indexer is one of AllenNLP's that pad each list of tokens with one value."""
    # A subclass may do anything else.
    return type(indexer) in (
        SingleIdTokenIndexer,
        PretrainedTransformerIndexer,
        PretrainedTransformerMismatchedIndexer,
    )


def batch_tokens(indexers: Sequence[TokenIndexer], tokens: Sequence[Tokens]) -> Dict[str, Tensor]:
    """
    Returns what `TextField` makes of the indexed tokens of a batch.

    # Parameters

    indexers : `Sequence[TokenIndexer]`
        The indexer of each instance, usually the same.
    tokens : `Sequence[Tokens]`
        The indexed tokens of each instance.

    # Returns

    `Dict[str, Tensor]`
        The padded tensors, whose first dimension is the batch.

    # Examples

    >>> batch_tokens([SingleIdTokenIndexer()] * 2, [{"tokens": [5, 6]}, {"tokens": [7]}])
    {'tokens': tensor([[5, 6],
            [7, 0]])}
    """
    variants = _different(indexers)
    if all(map(pads_rows, variants)) and _are_filled(tokens):
        templates = [_template(indexer, tokens[0]) for indexer in variants]
        if all(_are_equal(templates[0], template) for template in templates[1:]):
            return _pad(variants, tokens, templates[0])
    return _pad_each(indexers, tokens)


def _different(indexers: Sequence[TokenIndexer]) -> List[TokenIndexer]:
    """The first indexer, and those that differ from it."""
    first, *others = {id(indexer): indexer for indexer in indexers}.values()
    # An indexer of AllenNLP equals one of a subclass with the same attributes.
    same = [type(indexer) is type(first) and indexer == first for indexer in others]
    return [first, *(indexer for indexer, is_same in zip(others, same) if not is_same)]


def _are_filled(tokens: Sequence[Tokens]) -> bool:
    """Whether all have the same keys, and none is empty: an indexer finds the type in the first."""
    keys = tokens[0].keys()
    return all(of_instance.keys() == keys and all(of_instance.values()) for of_instance in tokens)


def _template(indexer: TokenIndexer, tokens: Tokens) -> Dict[str, Tensor]:
    """The tensors of one token and one element of padding."""
    first = {key: row[:1] for key, row in tokens.items()}
    return indexer.as_padded_tensor_dict(first, dict.fromkeys(tokens, 2))


def _are_equal(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return all(
        tensor.dtype == other[key].dtype and torch.equal(tensor, other[key])
        for key, tensor in one.items()
    )


def _pad(
    indexers: Sequence[TokenIndexer], tokens: Sequence[Tokens], template: Mapping[str, Tensor]
) -> Dict[str, Tensor]:
    rows = {key: [of_instance[key] for of_instance in tokens] for key in template}
    longest = {key: max(of_key, key=len) for key, of_key in rows.items()}
    # A minimum length may differ between the indexers.
    lengths = [indexer.get_padding_lengths(longest) for indexer in indexers]
    return {
        key: pad_rows(of_key, max(length[key] for length in lengths), template[key][-1])
        for key, of_key in rows.items()
    }


def _pad_each(indexers: Sequence[TokenIndexer], tokens: Sequence[Tokens]) -> Dict[str, Tensor]:
    """Pads as AllenNLP does: each instance on its own."""
    pairs = [(indexer, dict(of_instance)) for indexer, of_instance in zip(indexers, tokens)]
    lengths = [indexer.get_padding_lengths(of_instance) for indexer, of_instance in pairs]
    longest = {key: max(length.get(key, 0) for length in lengths) for key in lengths[0]}
    padded = [indexer.as_padded_tensor_dict(of_instance, longest) for indexer, of_instance in pairs]
    tensors: Dict[str, Tensor] = nn_util.batch_tensor_dicts(padded)
    return tensors
