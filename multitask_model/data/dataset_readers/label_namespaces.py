"""The vocabulary namespaces of the labels of a reader."""

from typing import Dict, Iterable, Mapping, Optional

from allennlp.common.checks import ConfigurationError

from multitask_model.errors import check_known


def resolve_label_namespaces(
    labels: Iterable[str], given: Optional[Mapping[str, str]]
) -> Dict[str, str]:
    """
    Returns the vocabulary namespace of each label: the given one, or `NAME_labels`.

        >>> resolve_label_namespaces(["polarity", "topic"], {"polarity": "sentiment_labels"})
        {'polarity': 'sentiment_labels', 'topic': 'topic_labels'}

    # Parameters

    labels : `Iterable[str]`
        The names of the labels that have a namespace: those that are not numbers.
    given : `Mapping[str, str]`, optional
        The parameter `label_namespaces` of the reader.

    # Raises

    `ConfigurationError`
        If `given` has another name, or a namespace that is not a non-empty string.
    """
    namespaces, given = {name: f"{name}_labels" for name in labels}, given or {}
    what = "a label of the reader that is not a number"
    check_known("label_namespaces", what, given, namespaces)
    for name, namespace in given.items():
        if not isinstance(namespace, str) or not namespace:
            raise ConfigurationError(
                "label_namespaces must have the name of a namespace for each label, but got "
                f"{namespace!r} for {name!r}. Write, for example, {namespaces[name]!r}."
            )
    return {**namespaces, **given}
