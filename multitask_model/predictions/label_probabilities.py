"""The probabilities of a classifier by the names of its labels."""

from typing import Any, Dict, List, Optional

import numpy
from allennlp.common.checks import ConfigurationError
from allennlp.models.heads import Head

from multitask_model.compat.allennlp_internals import label_namespace, reserved_tokens


def label_names(head: Head) -> Optional[List[str]]:
    """
    Returns the names of the labels that a classifier predicts, by index, or `None` for a head
    without a label namespace of its own.
    """
    namespace = getattr(head, "label_namespace", None) or label_namespace(head)
    if not isinstance(namespace, str) or namespace not in head.vocab.get_namespaces():
        return None
    names = head.vocab.get_index_to_token_vocabulary(namespace)
    return [names[index] for index in range(len(names))]


def by_label(
    head: Head, probs: numpy.ndarray, top_k: Optional[int] = None
) -> Optional[Dict[str, float]]:
    """
    # Parameters

    head : `Head`
    probs : `numpy.ndarray`
        Of shape (C,): the head's output `probs` for one instance.
    top_k : `int`, optional (default = all)
        The number of labels to return.

    # Returns

    `Optional[Dict[str, float]]`
        The probabilities by label, in descending order. Padding and OOV entries are left out if
        their probability is 0. `None` if the head does not have a label for each probability.

    # Examples

        >>> from allennlp.data import Vocabulary
        >>> class Classifier(Head):
        ...     label_namespace = "labels"
        >>> head = Classifier(Vocabulary(tokens_to_add={"labels": ["film", "book", "song"]}))
        >>> by_label(head, numpy.array([0.25, 0.0, 0.75]), top_k=2)
        {'song': 0.75, 'film': 0.25}
    """
    names = label_names(head)
    if names is None or not _is_one_per_label(probs, len(names)):
        return None
    reserved = reserved_tokens(head.vocab)
    pairs = [
        (name, float(value))
        for name, value in zip(names, probs)
        if value > 0 or name not in reserved
    ]
    return dict(sorted(pairs, key=lambda pair: -pair[1])[:top_k])


def _is_one_per_label(probs: Any, count: int) -> bool:
    if isinstance(probs, list):
        return len(probs) == count and all(isinstance(value, (int, float)) for value in probs)
    return bool(numpy.shape(probs) == (count,))


def check_top_k(top_k: Optional[int]) -> None:
    """
    # Raises

    `ConfigurationError`
        If `top_k` is not a positive integer or `None`.
    """
    if top_k is not None and (type(top_k) is not int or top_k < 1):
        raise ConfigurationError(
            f"top_k must be an integer of at least 1, but got {top_k!r}. Leave it out for the "
            "probabilities of all labels."
        )
