"""Labels for heads whose data cannot be read, so that the rest of the model can be described."""

import inspect
from typing import Any, Iterator, List, Mapping

from allennlp.data import Vocabulary
from allennlp.models.heads import Head

from multitask_model.routing.fit_checks import labels_in

LABEL = "O"
"""Valid in every encoding of tags."""


def add_unread_labels(vocab: Vocabulary, heads: Mapping[str, Any]) -> List[str]:
    """
    Adds a label to the namespaces of heads that have none.

    # Parameters

    vocab : `Vocabulary`
    heads : `Mapping[str, Any]`
        The parameters of each head, from the config.

    # Returns

    `List[str]`
        These namespaces.
    """
    found = sorted({namespace for params in heads.values() for namespace in _namespaces(params)})
    empty = [namespace for namespace in found if not labels_in(vocab, namespace)]
    for namespace in empty:
        vocab.add_token_to_namespace(LABEL, namespace)
    return empty


def _namespaces(params: Any) -> Iterator[str]:
    """Yields the values of the parameters of a head that are called `..._namespace`."""
    given = params if isinstance(params, Mapping) else {"type": params}
    try:
        parameters = inspect.signature(Head.by_name(given.get("type", ""))).parameters.values()
    except Exception:  # an unknown type, which building the head reports
        return
    for parameter in parameters:
        value = given.get(parameter.name, parameter.default)
        if parameter.name.endswith("namespace") and isinstance(value, str):
            yield value
