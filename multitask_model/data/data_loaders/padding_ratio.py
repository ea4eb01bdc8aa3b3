"""The lengths of instances, and the padding ratio of batches."""

from typing import Any, Dict, Iterable, Optional, Sequence

from allennlp.data import Instance
from allennlp.data.fields import SequenceField, TextField

from multitask_model.compat.allennlp_internals import indexed_tokens

WORD_PIECES = "wordpiece_mask"
"""What a `pretrained_transformer_mismatched` indexer has one of for each word piece."""


def field_lengths(instance: Instance, names: Optional[Sequence[str]] = None) -> Dict[str, int]:
    """
    Returns the lengths, by `padded_length`, of the sequence fields of an instance that are in
    `names`; of all text fields by default.
    """
    if names is None:
        names = [name for name, field in instance.fields.items() if isinstance(field, TextField)]
    fields = ((name, instance.fields.get(name)) for name in names)
    return {
        name: padded_length(field) for name, field in fields if isinstance(field, SequenceField)
    }


def padded_length(field: "SequenceField[Any]") -> int:
    """
    The length of what is padded: of a text whose words an indexer splits, the number of word
    pieces. A text that is not indexed has its number of tokens.
    """
    length = field.sequence_length()
    if isinstance(field, TextField):
        indexed = indexed_tokens(field) or {}
        pieces = [len(tokens[WORD_PIECES]) for tokens in indexed.values() if WORD_PIECES in tokens]
        return max([length, *pieces])
    return length


class PaddingMeter:
    """
    Measures the padding ratio of batches.

        >>> from multitask_model import LabeledJsonlReader
        >>> reader, meter = LabeledJsonlReader({}), PaddingMeter()
        >>> meter.add([reader.text_to_instance("What a nice day"), reader.text_to_instance("Hi")])
        >>> meter.ratio
        0.375

    # Parameters

    names : `Sequence[str]`, optional (default = `None`)
        The fields to measure. By default all text fields.
    """

    def __init__(self, names: Optional[Sequence[str]] = None) -> None:
        self._names = names
        self._filled = 0
        self._total = 0

    def add(self, batch: Sequence[Instance]) -> None:
        """Adds a batch. A field counts for the instances that have it."""
        for name in self._names_in(batch):
            fields = [i.fields[name] for i in batch if name in i.fields]
            lengths = [padded_length(f) for f in fields if isinstance(f, SequenceField)]
            self._filled += sum(lengths)
            self._total += len(lengths) * max(lengths, default=0)

    def _names_in(self, batch: Sequence[Instance]) -> Iterable[str]:
        if self._names is not None:
            return self._names
        # Fields of the same name have the same type, or they could not be batched.
        fields: Dict[str, object] = {}
        for instance in batch:
            if instance.fields.keys() != fields.keys():
                fields = {**instance.fields, **fields}
        return [name for name, field in fields.items() if isinstance(field, TextField)]

    @property
    def ratio(self) -> Optional[float]:
        """The proportion of padding in the batches added so far; `None` if they have no fields."""
        return 1 - self._filled / self._total if self._total else None
