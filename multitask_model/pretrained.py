"""Loading the weights of a model with other heads or a smaller vocabulary."""

import contextlib
import contextvars
import logging
import os
from typing import (
    TYPE_CHECKING,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Set,
    Tuple,
)

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.common.file_utils import cached_path
from allennlp.data import Vocabulary
from allennlp.models.archival import get_weights_path
from allennlp.modules.token_embedders import Embedding
from allennlp.nn import util as nn_util

from multitask_model.compat.allennlp_internals import (
    crf_parameters,
    has_pretrained_file,
    reserved_tokens,
    vocab_namespace,
)
from multitask_model.compat.transformers import is_position_ids_buffer
from multitask_model.errors import format_names

if TYPE_CHECKING:
    from multitask_model.model import MultiTaskModel

logger = logging.getLogger(__name__)

EMBEDDINGS = (Embedding, torch.nn.Embedding, torch.nn.EmbeddingBag)
_HEADS = "_heads."
_BALANCING = "_balancing."
_BY_HEAD = ".by_head."
_other_heads_allowed = contextvars.ContextVar("_other_heads_allowed", default=False)


class _Growth(NamedTuple):
    """How a namespace of the vocabulary has grown."""

    saved: int
    """The number of entries in the archive."""
    now: int
    oov: Optional[int]
    """The index of the OOV token, which stood for the new entries."""


Growths = Dict[str, _Growth]
"""By namespace."""


@contextlib.contextmanager
def allow_other_heads() -> Iterator[None]:
    """A context in which a model may be loaded from the weights of a model with other heads."""
    token = _other_heads_allowed.set(True)
    try:
        yield
    finally:
        _other_heads_allowed.reset(token)


def ignore_other_heads(
    heads: Iterable[str],
    saved_heads: Set[str],
    missing: List[str],
    unexpected: List[str],
) -> Tuple[List[str], List[str]]:
    """
    Removes from the missing and unexpected names of a state dict those of heads that only the model
    or only the weights have, if `allow_other_heads` is active. These heads are logged. At least one
    head must be in both.

    # Parameters

    heads : `Iterable[str]`
        The heads of the model.
    saved_heads : `Set[str]`
        The heads that the weights are for.
    missing : `List[str]`
    unexpected : `List[str]`

    # Returns

    `Tuple[List[str], List[str]]`
        The remaining missing and unexpected names.

    # Raises

    `ConfigurationError`
        If `allow_other_heads` is active, and the weights are for none of the model's heads.
    """
    if not _other_heads_allowed.get():
        return missing, unexpected
    heads = list(heads)
    if saved_heads.isdisjoint(heads):
        raise ConfigurationError(
            "The weights must be for at least one of the model's heads "
            f"{format_names(heads)}, but got weights of the heads "
            f"{format_names(sorted(saved_heads))}. Name the heads in the config as in the archive, "
            "or set pretrained_file to initialize only the backbone."
        )
    log_other_heads(heads, saved_heads)
    missing = [name for name in missing if head_of(name) in (None, *saved_heads)]
    return missing, [name for name in unexpected if head_of(name) in (None, *heads)]


def head_of(name: str) -> Optional[str]:
    """
    Returns the head that a name in a state dict belongs to, or `None`. Values that a loss weighting
    keeps for a head belong to that head.
    """
    if name.startswith(_BALANCING) and _BY_HEAD in name:
        return name.split(_BY_HEAD)[1].split(".")[0]
    return name.split(".")[1] if name.startswith(_HEADS) else None


def log_other_heads(heads: Iterable[str], saved_heads: Set[str]) -> None:
    """Logs the heads that only the model or only the weights have."""
    new = [head for head in heads if head not in saved_heads]
    ignored = sorted(saved_heads.difference(heads))
    if new:
        logger.warning(
            "The weights have no heads %s, which are initialized as in a new model.",
            format_names(new),
        )
    if ignored:
        logger.warning(
            "The model has no heads %s, whose weights are ignored.", format_names(ignored)
        )


def load_pretrained(model: "MultiTaskModel", path: str) -> None:
    """
    Copies the weights of an archive to the backbone of `model` and to the heads that both have.
    Where the vocabulary has grown, the rows of the old entries are copied, and of the transitions
    of a conditional random field those between old labels. What is for new labels starts as in a
    new model. The rows of an embedding for new entries get the vector of the OOV token, so that the
    heads of the archive score as before, unless the embedding has a `pretrained_file` with vectors.
    The loss weighting starts as in a new model.

    # Parameters

    model : `MultiTaskModel`
    path : `str`
        An archive, a serialization directory, or anything else that `cached_path` accepts.

    # Raises

    `ConfigurationError`
        If the vocabulary of the model does not extend that of the archive, or a weight of the
        backbone or of a head that both have is missing or has another shape, or is on the device
        `meta`.
    """
    directory = cached_path(path, extract_archive=True)
    growths = _check_vocabulary(model.vocab, os.path.join(directory, "vocabulary"), path)
    saved: Dict[str, torch.Tensor] = nn_util.read_state_dict(get_weights_path(directory))
    saved = {n: value for n, value in saved.items() if not is_position_ids_buffer(model, n)}
    saved_heads = {head for head in map(head_of, saved) if head is not None}
    log_other_heads(model.heads, saved_heads)
    own = _of_shared_modules(model.state_dict(), saved_heads)
    saved = _of_shared_modules(saved, model.heads)
    different = sorted(own.keys() ^ saved.keys())
    if different:
        raise ConfigurationError(
            f"The backbone, and the heads that both have, must have the weights of {path}, but got "
            f"{format_names(different)} in only one of the two. Configure these modules as they "
            "were, or rename a head that differs."
        )
    on_meta = [name for name, value in own.items() if value.device.type == "meta"]
    if on_meta:
        raise ConfigurationError(
            "pretrained_file requires weights that can hold values, but got "
            f"{format_names(on_meta)} on the device 'meta'. Build the model on another device."
        )
    derived = crf_parameters(model, "_constraint_mask")
    square = crf_parameters(model, "transitions")
    with torch.no_grad():
        for name, value in own.items():
            if name not in derived:
                _copy(name, saved[name], value, growths, is_square=name in square)
        for name, module in model.named_modules():
            if f"{name}.weight" in own:
                _copy_unknown(module, len(saved[f"{name}.weight"]), growths)


def _of_shared_modules(
    state: Mapping[str, torch.Tensor], heads: Iterable[str]
) -> Dict[str, torch.Tensor]:
    # What a loss weighting learned depends on all heads and on their data.
    known = (None, *heads)
    return {
        name: value
        for name, value in state.items()
        if head_of(name) in known and not name.startswith(_BALANCING)
    }


def _copy(
    name: str, saved: torch.Tensor, value: torch.Tensor, growths: Growths, is_square: bool
) -> None:
    if not _fits(saved.shape, value.shape, growths, is_square):
        raise ConfigurationError(
            f"{name} must have the shape that it has in the archive, plus a row for each new "
            f"entry of "
            f"the vocabulary, but got {list(value.shape)} for {list(saved.shape)}. Configure this "
            "module as it was, or rename the head."
        )
    value[tuple(map(slice, saved.shape))].copy_(saved)


def _fits(saved: torch.Size, now: torch.Size, growths: Growths, is_square: bool) -> bool:
    """
    Whether the shapes are equal, or (old entries, ...) and (old and new entries, ...). Both sizes
    of a square, the transitions between labels, grow together.
    """
    if saved == now:
        return True
    sizes = {(growth.saved, growth.now) for growth in growths.values()}
    grown = 2 if is_square else 1
    pairs = set(zip(saved[:grown], now[:grown]))
    has_grown = len(pairs) == 1 and pairs <= sizes
    return has_grown and len(saved) == len(now) and saved[grown:] == now[grown:]


def _copy_unknown(module: torch.nn.Module, saved: int, growths: Growths) -> None:
    """Copies the vector of the OOV token to the rows of new entries, if this is an embedding."""
    if not isinstance(module, EMBEDDINGS) or has_pretrained_file(module):
        return
    weight = module.weight
    namespace = vocab_namespace(module)
    candidates = [growths[namespace]] if namespace in growths else list(growths.values())
    for growth in candidates:
        if growth.oov is not None and (growth.saved, growth.now) == (saved, len(weight)):
            weight[saved:] = weight[growth.oov]
            return


def _check_vocabulary(vocab: Vocabulary, directory: str, path: str) -> Growths:
    if not os.path.isdir(directory):
        return {}
    saved = _entries(Vocabulary.from_files(directory, *reserved_tokens(vocab)))
    oov = reserved_tokens(vocab)[1]
    growths = {}
    for namespace, entries in _entries(vocab).items():
        old = saved.get(namespace, [])
        if entries[: len(old)] != old:
            raise ConfigurationError(
                f"The vocabulary must begin with the entries of {path}, in the same order, but the "
                f"namespace {namespace!r} got {format_names(entries[:5])} where the archive has "
                f'{format_names(old[:5])}. Set "vocabulary" in the config to '
                f'{{"type": "extend", "directory": {path!r}}}.'
            )
        oov_index = old.index(oov) if oov in old else None
        growths[namespace] = _Growth(len(old), len(entries), oov_index)
    return growths


def _entries(vocab: Vocabulary) -> Dict[str, List[str]]:
    return {
        namespace: [
            token for _, token in sorted(vocab.get_index_to_token_vocabulary(namespace).items())
        ]
        for namespace in sorted(vocab.get_namespaces())
    }
