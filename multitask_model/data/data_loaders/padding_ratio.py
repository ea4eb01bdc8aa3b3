"""How much of the batches is padding."""

from typing import Dict, List, Optional, Sequence

from allennlp.data import Instance
from allennlp.data.fields import SequenceField, TextField


def lengths_of(instance: Instance, names: Optional[Sequence[str]] = None) -> Dict[str, int]:
    """The lengths of those of the fields that the instance has; of all texts by default."""
    if names is None:
        names = [name for name, field in instance.fields.items() if isinstance(field, TextField)]
    fields = ((name, instance.fields.get(name)) for name in names)
    return {
        name: field.sequence_length() for name, field in fields if isinstance(field, SequenceField)
    }


class PaddingMeter:
    """
    Counts what of the batches is padding.

    # Parameters

    names : `Sequence[str]`, optional (default = `None`)
        The fields that count. By default all texts.
    """

    def __init__(self, names: Optional[Sequence[str]] = None) -> None:
        self._names = names
        self._filled = 0
        self._total = 0

    def add(self, batch: Sequence[Instance]) -> None:
        """Counts a batch. A field that only some of it have is padded among those."""
        lengths: Dict[str, List[int]] = {}
        for instance in batch:
            for name, length in lengths_of(instance, self._names).items():
                lengths.setdefault(name, []).append(length)
        for of_field in lengths.values():
            self._filled += sum(of_field)
            self._total += len(of_field) * max(of_field)

    @property
    def share(self) -> Optional[float]:
        """The share of padding; `None` if there was nothing to be padded."""
        return 1 - self._filled / self._total if self._total else None
