"""Fields that change from pass to pass over a dataset, and fields that refer to other fields."""

import copy
from typing import Any, Dict, List, Mapping, Optional, cast

from allennlp.data import Field, Instance, Vocabulary
from allennlp.data.fields import ListField, SequenceField
from torch import Tensor

AnyField = Field[Any]  # whatever its tensors are
Fields = Mapping[str, AnyField]


class ChangesEachPass:
    """
    A field that the data loader `multitask` replaces in each training pass over the dataset.
    Evaluations use the field as it was read.

        >>> from allennlp.data.fields import MetadataField
        >>> class PassField(MetadataField, ChangesEachPass):
        ...     def at_pass(self, fields, label):
        ...         return {**fields, "pass": MetadataField(label)}
        >>> instance = Instance({"pass": PassField("as it was read")})
        >>> instance_at_pass(instance, "0/3", vocab=None)["pass"].metadata
        '0/3'
    """

    __slots__ = ()

    def at_pass(self, fields: Fields, label: str) -> Dict[str, AnyField]:
        """
        Returns the fields of the instance in one pass.

        # Parameters

        fields : `Mapping[str, Field]`
            The fields of the instance. This field is one of them. They are not modified.
        label : `str`
            Identifies the pass and the seed of the data loader.
        """
        raise NotImplementedError


def changes_each_pass(instance: Instance) -> bool:
    """Whether a field of the instance changes from pass to pass."""
    return any(isinstance(field, ChangesEachPass) for field in instance.fields.values())


def instance_at_pass(instance: Instance, label: str, vocab: Optional[Vocabulary]) -> Instance:
    """Returns the instance with its fields in one pass, indexed with `vocab` if it is given."""
    fields: Fields = instance.fields
    changing = [name for name, field in fields.items() if isinstance(field, ChangesEachPass)]
    for name in changing:
        fields = cast(ChangesEachPass, fields[name]).at_pass(fields, label)
    if vocab is not None:
        for name, field in fields.items():
            if field is not instance.fields.get(name):
                field.index(vocab)
    changed = Instance(dict(fields))
    changed.indexed = vocab is not None
    return changed


def sequence_candidates(field: object, fields: Fields) -> List[str]:
    """
    Returns the names of the fields that may be the sequence that `field` labels: one name, unless
    the field refers to a copy of the sequence and several sequences have its length. Empty for a
    field that labels no sequence of the instance.
    """
    sequence: object = getattr(field, "sequence_field", None)
    if not isinstance(sequence, SequenceField):
        return []
    for name, other in fields.items():
        if other is sequence:
            return [name]
    length = cast("SequenceField[Tensor]", sequence).sequence_length()
    same_length = [
        name
        for name, other in fields.items()
        if type(other) is type(sequence)
        and cast("SequenceField[Tensor]", other).sequence_length() == length
    ]
    equal = [name for name in same_length if fields[name] == sequence]
    return equal[:1] or same_length


def follow_sequence(field: AnyField, old: object, new: AnyField) -> AnyField:
    """
    Returns a copy of `field` that refers to the sequence `new` in place of `old`; the field itself
    if it does not refer to `old`. The fields inside a `ListField` are included.
    """
    if isinstance(field, ListField):
        items = [follow_sequence(item, old, new) for item in field.field_list]
        if all(item is original for item, original in zip(items, field.field_list)):
            return field
        copied = copy.copy(field)
        copied.field_list = items
        return copied
    if getattr(field, "sequence_field", None) is not old:
        return field
    follower = copy.copy(field)
    # Not by `vars`: some fields have slots.
    object.__setattr__(follower, "sequence_field", new)
    return follower
