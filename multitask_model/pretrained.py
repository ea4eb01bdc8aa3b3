"""Weights of a model that had other heads: more, fewer, or with smaller vocabularies."""

import contextlib
import contextvars
import logging
import os
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Set, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.common.file_utils import cached_path
from allennlp.data import Vocabulary
from allennlp.models.archival import get_weights_path
from allennlp.nn import util as nn_util

from multitask_model.compat import is_position_ids_buffer
from multitask_model.errors import format_names

logger = logging.getLogger(__name__)

_HEADS = "_heads."
_other_heads_allowed = contextvars.ContextVar("_other_heads_allowed", default=False)


@contextlib.contextmanager
def other_heads_allowed() -> Iterator[None]:
    """Within it, a model may be loaded from weights of a model with other heads."""
    token = _other_heads_allowed.set(True)
    try:
        yield
    finally:
        _other_heads_allowed.reset(token)


def without_other_heads(
    heads: Iterable[str], saved: Set[str], missing: List[str], unexpected: List[str]
) -> Tuple[List[str], List[str]]:
    """
    What is left of the missing and the unexpected names in a state dict, without those of heads
    that only the model or only the weights have, if that is allowed. These heads are logged.

    # Parameters

    heads : `Iterable[str]`
        The heads of the model.
    saved : `Set[str]`
        The heads that the weights have.
    missing : `List[str]`
    unexpected : `List[str]`
    """
    if not _other_heads_allowed.get():
        return missing, unexpected
    report(heads, saved)
    missing = [name for name in missing if head_of(name) in (None, *saved)]
    return missing, [name for name in unexpected if head_of(name) in (None, *heads)]


def head_of(name: str) -> Any:
    """The head whose parameter has that name in the state dict of a model, or `None`."""
    return name.split(".")[1] if name.startswith(_HEADS) else None


def report(heads: Iterable[str], saved: Set[str]) -> None:
    """Logs which heads are new, and which saved heads are left out."""
    fresh = [head for head in heads if head not in saved]
    surplus = sorted(saved.difference(heads))
    if fresh:
        logger.warning("The weights have no heads %s: freshly initialised.", format_names(fresh))
    if surplus:
        logger.warning(
            "The model has no heads %s: their weights are left out.", format_names(surplus)
        )


def load_pretrained(model: Any, path: str) -> None:
    """
    Copies the weights in an archive into `model`: those of the backbone, and of the heads that both
    have. Where the vocabulary has grown, the rows of the old entries are copied.

    # Parameters

    model : `MultiTaskModel`
    path : `str`
        An archive, a serialization directory, or anything that `cached_path` takes.

    # Raises

    `ConfigurationError`
        If the vocabulary of the model does not begin with that of the archive, or a weight of the
        backbone or of a head that both have is missing or has another shape.
    """
    directory = cached_path(path, extract_archive=True)
    grown = _check_vocabulary(model.vocab, os.path.join(directory, "vocabulary"), path)
    saved = nn_util.read_state_dict(get_weights_path(directory))
    saved = {
        name: value for name, value in saved.items() if not is_position_ids_buffer(model, name)
    }
    saved_heads = {head_of(name) for name in saved} - {None}
    report(model._heads, saved_heads)
    own = {n: v for n, v in model.state_dict().items() if head_of(n) in (None, *saved_heads)}
    saved = {n: v for n, v in saved.items() if head_of(n) in (None, *model._heads)}
    different = sorted(own.keys() ^ saved.keys())
    if different:
        raise ConfigurationError(
            f"The backbone, and the heads that both have, must have the weights of {path}, but "
            f"only one of the two has {format_names(different)}. Configure them as they were, or "
            f"give "
            "a head that differs another name."
        )
    with torch.no_grad():
        for name, value in own.items():
            _copy(name, saved[name], value, grown)


def _copy(name: str, saved: torch.Tensor, value: torch.Tensor, grown: Set[Tuple[int, int]]) -> None:
    # Shape: (old entries, ...) into (old and new entries, ...)
    if saved.shape == value.shape:
        value.copy_(saved)
    elif saved.shape[1:] == value.shape[1:] and (len(saved), len(value)) in grown:
        value[: len(saved)].copy_(saved)
    else:
        raise ConfigurationError(
            f"{name} must have the shape that it has in the archive, or as many more rows as the "
            f"vocabulary has grown by, but it is {list(saved.shape)} there and "
            f"{list(value.shape)} here. Configure this module as it was, or give the head another "
            "name."
        )


def _check_vocabulary(vocab: Vocabulary, directory: str, path: str) -> Set[Tuple[int, int]]:
    """The old and the new sizes of the namespaces that have grown."""
    if not os.path.isdir(directory):
        return set()
    tokens = (vocab._padding_token, vocab._oov_token)
    saved = _entries(Vocabulary.from_files(directory, *tokens))
    grown = set()
    for namespace, entries in _entries(vocab).items():
        old = saved.get(namespace, [])
        if entries[: len(old)] != old:
            raise ConfigurationError(
                f"The vocabulary must begin with that of {path}, so that its weights mean the "
                f"same, but the namespace {namespace!r} begins with {format_names(entries[:5])} "
                f"and not "
                f'{format_names(old[:5])}. Set "vocabulary" in the config to '
                f'{{"type": "extend", "directory": {path!r}}}.'
            )
        grown.add((len(old), len(entries)))
    return grown


def _entries(vocab: Vocabulary) -> Dict[str, List[str]]:
    by_namespace: Mapping[str, Dict[int, str]] = vocab._index_to_token
    return {
        namespace: [token for _, token in sorted(entries.items())]
        for namespace, entries in by_namespace.items()
    }
