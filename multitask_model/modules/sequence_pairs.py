"""Joins two sequences of a pretrained transformer into its own form of a sequence pair."""

from typing import Dict, List, Sequence, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data.tokenizers import PretrainedTransformerTokenizer, Token
from torch.nn.utils.rnn import pad_sequence

from multitask_model.errors import format_names

TENSORS = ("token_ids", "mask", "type_ids")


class SequencePairJoiner:
    """
    Joins two batches of indexed sequences row by row, such as `[CLS] a [SEP]` and `[CLS] b [SEP]`
    to `[CLS] a [SEP] b [SEP]`. The special tokens and the token type ids are those that the
    tokenizer of the transformer has for a pair.

        >>> from tempfile import TemporaryDirectory
        >>> from transformers import BertConfig
        >>> with TemporaryDirectory() as bert, open(f"{bert}/vocab.txt", "w") as file:
        ...     words = "[PAD] [UNK] [CLS] [SEP] [MASK] a b".split()
        ...     print(*words, sep="\\n", file=file, flush=True)
        ...     BertConfig().save_pretrained(bert)
        ...     join = SequencePairJoiner(bert)
        >>> ids = torch.tensor([[2, 5, 3]])  # [CLS] a [SEP]
        >>> sequence = {"token_ids": ids, "mask": ids.bool(), "type_ids": ids.new_zeros(1, 3)}
        >>> join(sequence, sequence)["token_ids"]
        tensor([[2, 5, 3, 5, 3]])

    # Parameters

    model_name : `str`
        The name of the transformer.
    """

    def __init__(self, model_name: str) -> None:
        tokenizer = PretrainedTransformerTokenizer(model_name)
        self._single_start, _ = _special(tokenizer.single_sequence_start_tokens)
        self._single_end, _ = _special(tokenizer.single_sequence_end_tokens)
        self._start, self._start_types = _special(tokenizer.sequence_pair_start_tokens)
        self._middle, self._middle_types = _special(tokenizer.sequence_pair_mid_tokens)
        self._end, self._end_types = _special(tokenizer.sequence_pair_end_tokens)
        self._first_type = tokenizer.sequence_pair_first_token_type_id or 0
        self._second_type = tokenizer.sequence_pair_second_token_type_id or 0
        self._padding_id = tokenizer.tokenizer.pad_token_id or 0
        self.max_length: int = tokenizer.tokenizer.model_max_length
        """The longest sequence that the tokenizer allows; a very large number without limit."""

    def __call__(
        self, first: Dict[str, torch.Tensor], second: Dict[str, torch.Tensor]
    ) -> Dict[str, torch.Tensor]:
        """
        # Parameters

        first : `Dict[str, torch.Tensor]`
            The tensors of a `PretrainedTransformerIndexer`: `token_ids` and `mask`, (B, T1). A
            sequence may have the special tokens of a single sequence or no special tokens.
        second : `Dict[str, torch.Tensor]`
            The same for the second sequences, (B, T2).

        # Returns

        `Dict[str, torch.Tensor]`
            `token_ids`, `mask` and `type_ids` of the pairs, (B, T).

        # Raises

        `ConfigurationError`
            If the tensors are not those of a `PretrainedTransformerIndexer` without `max_length`.
        """
        for tensors in (first, second):
            _check_tensors(tensors)
        rows = [self._join(*row) for row in zip(self._strip(first), self._strip(second))]
        token_ids = [ids for ids, _ in rows]
        columns = {
            "token_ids": pad_sequence(token_ids, True, self._padding_id),
            "mask": pad_sequence([torch.ones_like(ids) for ids in token_ids], True).bool(),
            "type_ids": pad_sequence([type_ids for _, type_ids in rows], True),
        }
        device = first["token_ids"].device
        return {name: column.to(device) for name, column in columns.items()}

    def _join(self, first: List[int], second: List[int]) -> Tuple[torch.Tensor, torch.Tensor]:
        token_ids = [*self._start, *first, *self._middle, *second, *self._end]
        type_ids = [
            *self._start_types,
            *[self._first_type] * len(first),
            *self._middle_types,
            *[self._second_type] * len(second),
            *self._end_types,
        ]
        return torch.tensor(token_ids), torch.tensor(type_ids)

    def _strip(self, sequences: Dict[str, torch.Tensor]) -> List[List[int]]:
        """The token ids of each row without padding and special tokens."""
        lengths = sequences["mask"].sum(dim=-1).tolist()
        rows = sequences["token_ids"].tolist()
        return [self._strip_row(row[:length]) for row, length in zip(rows, lengths)]

    def _strip_row(self, row: List[int]) -> List[int]:
        # Tokens that were truncated have no special token at the end.
        start, end = len(self._single_start), len(row) - len(self._single_end)
        if row[:start] == self._single_start:
            row, end = row[start:], end - start
        return row[:end] if end >= 0 and row[end:] == self._single_end else row


def _special(tokens: Sequence[Token]) -> Tuple[List[int], List[int]]:
    """The ids and the type ids of special tokens."""
    return [token.text_id or 0 for token in tokens], [token.type_id or 0 for token in tokens]


def _check_tensors(tensors: Dict[str, torch.Tensor]) -> None:
    if set(tensors) != set(TENSORS):
        raise ConfigurationError(
            "A joint text_pair backbone must get the tensors of a token indexer of type "
            f"pretrained_transformer without max_length, {format_names(TENSORS)}, but got "
            f"{format_names(tensors)}. Change the token indexer of the dataset reader."
        )
