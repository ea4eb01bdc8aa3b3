"""The padding ratio of batches."""

from typing import Dict, List, Optional, Sequence

from allennlp.data import Instance
from allennlp.data.fields import SequenceField, TextField


def field_lengths(instance: Instance, names: Optional[Sequence[str]] = None) -> Dict[str, int]:
    """
    Returns the lengths of the sequence fields of an instance that are in `names`; of all text
    fields by default.
    """
    if names is None:
        names = [name for name, field in instance.fields.items() if isinstance(field, TextField)]
    fields = ((name, instance.fields.get(name)) for name in names)
    return {
        name: field.sequence_length() for name, field in fields if isinstance(field, SequenceField)
    }


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
        lengths: Dict[str, List[int]] = {}
        for instance in batch:
            for name, length in field_lengths(instance, self._names).items():
                lengths.setdefault(name, []).append(length)
        for of_field in lengths.values():
            self._filled += sum(of_field)
            self._total += len(of_field) * max(of_field)

    @property
    def ratio(self) -> Optional[float]:
        """The proportion of padding in the batches added so far; `None` if they have no fields."""
        return 1 - self._filled / self._total if self._total else None
