"""Patches for current releases of transformers."""

from typing import TYPE_CHECKING, Callable, List

from multitask_model.compat.patching import patch
from multitask_model.compat.torch_internals import is_unsaved_buffer

if TYPE_CHECKING:
    import torch


def load_tokenizers_without_add_special_tokens() -> None:
    """
    transformers refuses an argument of `__init__` with the name of a method, such as
    `add_special_tokens`. AllenNLP's `pretrained_transformer` tokenizer passes it when it loads a
    tokenizer, where it never had an effect: AllenNLP passes it again to each `encode_plus`.
    """
    from allennlp.common import cached_transformers
    from transformers import PreTrainedTokenizerBase

    try:
        PreTrainedTokenizerBase(add_special_tokens=False)
    except (AttributeError, TypeError):

        @patch(cached_transformers, "get_tokenizer")
        def _get_tokenizer(
            original: Callable[..., object], model_name: str, **kwargs: object
        ) -> object:
            kwargs.pop("add_special_tokens", None)
            return original(model_name, **kwargs)


def ignore_position_ids_of_old_archives() -> None:
    """
    Up to 4.30, transformers saved its constant `position_ids` buffers with the weights. AllenNLP
    refuses an archive with names that the model lacks ("Unexpected keys"). Such a name is ignored
    only if the module creates this buffer itself and does not save it.
    """
    from allennlp.nn.module import Module

    @patch(Module, "_post_load_state_dict")
    def _post_load_state_dict(
        original: Callable[..., object],
        module: "torch.nn.Module",
        missing: List[str],
        unexpected: List[str],
    ) -> object:
        kept = [name for name in unexpected if not is_position_ids_buffer(module, name)]
        return original(module, missing, kept)


def is_position_ids_buffer(module: "torch.nn.Module", name: str) -> bool:
    """Whether `name` in a state dict is a `position_ids` buffer that `module` does not save."""
    owner, _, buffer = name.rpartition(".")
    modules = dict(module.named_modules())
    return (
        buffer == "position_ids" and owner in modules and is_unsaved_buffer(modules[owner], buffer)
    )
