"""Small multitask models, and batches of their instances."""

from typing import Any, Dict, List, Mapping, Optional

import torch
from allennlp.data import Instance
from allennlp.models.heads import Head

from multitask_model import MultiTaskModel
from multitask_model.data import collate
from tests.helpers.models import FixedBackbone, FixedHead, TinyBackbone, TinyHead, make_vocab


def tiny_model(names: str = "ab", **kwargs: Any) -> Any:
    """Returns a model with a `TinyHead` for each character of `names`."""
    torch.manual_seed(0)
    vocab = make_vocab()
    heads: Dict[str, Head] = {name: TinyHead(vocab) for name in names}
    return MultiTaskModel(vocab, TinyBackbone(), heads, **kwargs)


def fixed_model(
    backbone: Optional[Mapping[str, Any]] = None,
    heads: Optional[Mapping[str, Mapping[str, Any]]] = None,
    **kwargs: Any,
) -> Any:
    """Returns a model whose backbone and heads (default: `a`) return the given outputs."""
    built: Dict[str, Head] = {name: FixedHead(**out) for name, out in (heads or {"a": {}}).items()}
    return MultiTaskModel(make_vocab(), FixedBackbone(**(backbone or {})), built, **kwargs)


def number(value: float) -> torch.Tensor:
    """Returns a tensor of shape `[]` that requires grad."""
    return torch.tensor(value, requires_grad=True)


def record_calls(module: torch.nn.Module) -> List[None]:
    """Returns a list that gets an item each time the module is called."""
    calls: List[None] = []
    module.register_forward_hook(lambda *_: calls.append(None))
    return calls


def batch_of(instances: List[Instance]) -> Dict[str, Any]:
    """Indexes instances and batches them."""
    for instance in instances:
        instance.index_fields(make_vocab())
    return collate(instances)
