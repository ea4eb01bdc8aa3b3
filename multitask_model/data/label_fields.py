"""The labels of fields, and their indices in a vocabulary."""

from typing import Iterator, List, Optional, Tuple

from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance, Vocabulary
from allennlp.data.fields import ListField

from multitask_model.compat.allennlp_internals import label_namespace
from multitask_model.errors import format_names, suggest


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


class UnknownLabelError(ConfigurationError):
    """
    An instance has a label that the vocabulary does not have.

        >>> vocab = Vocabulary(tokens_to_add={"mood_labels": ["good", "bad"]})
        >>> error = UnknownLabelError("mood", "mood_labels", "god", vocab)
        >>> error.found
        "Every label must be in the vocabulary, but got 'god' in the field 'mood'"
        >>> error.known
        "The namespace 'mood_labels' has ['good', 'bad']. Did you mean 'good'?"

    # Parameters

    field : `str`
    namespace : `str`
    label : `str`
    vocab : `Vocabulary`
    """

    def __init__(self, field: str, namespace: str, label: str, vocab: Vocabulary) -> None:
        labels = list(vocab.get_token_to_index_vocabulary(namespace))
        self.found = f"Every label must be in the vocabulary, but got {label!r} in the field "
        self.found += repr(field)
        self.known = f"The namespace {namespace!r} has {format_names(labels)}."
        self.known += suggest(label, labels)
        super().__init__(
            f"{self.found}. {self.known} Correct the label, or leave it out: it is not needed for "
            "a prediction."
        )


def index_fields(instance: Instance, vocab: Vocabulary) -> None:
    """
    Indexes an instance with a vocabulary.

    # Raises

    `UnknownLabelError`
        If a label is not in the vocabulary.
    """
    try:
        instance.index_fields(vocab)
    except KeyError as error:
        unknown = _unknown_label(instance, vocab)
        if unknown is None:
            raise
        raise UnknownLabelError(*unknown, vocab) from error


def _unknown_label(instance: Instance, vocab: Vocabulary) -> Optional[Tuple[str, str, str]]:
    """The name of the field, the namespace and the label that `vocab` does not have."""
    for name, field in instance.fields.items():
        for namespace, labels in labels_of(field):
            for label in labels:
                try:
                    vocab.get_token_index(label, namespace)
                except KeyError:
                    return name, namespace, label
    return None
