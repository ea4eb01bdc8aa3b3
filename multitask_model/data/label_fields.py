"""The labels of fields, as a vocabulary has them."""

from typing import Iterator, List, Tuple

from allennlp.data.fields import ListField

from multitask_model.compat.allennlp_internals import label_namespace


def labels_of(field: object) -> Iterator[Tuple[str, List[str]]]:
    """
    Yields the namespace and the labels of each label field: of the field itself, or of those in a
    list. Labels that are integers are not in a vocabulary, and are left out.

        >>> from allennlp.data.fields import LabelField, MultiLabelField
        >>> list(labels_of(MultiLabelField(["music", "sport"], "topic_labels")))
        [('topic_labels', ['music', 'sport'])]
        >>> list(labels_of(ListField([LabelField("so"), LabelField("good")])))
        [('labels', ['so']), ('labels', ['good'])]
        >>> list(labels_of(LabelField(3, skip_indexing=True)))
        []
    """
    if isinstance(field, ListField):
        for item in field.field_list:
            yield from labels_of(item)
    namespace = label_namespace(field)
    if namespace is None:
        return
    label = getattr(field, "label", None)
    values = [label] if label is not None else getattr(field, "labels", None) or []
    names = [value for value in values if isinstance(value, str)]
    if names:
        yield namespace, names
