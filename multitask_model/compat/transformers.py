"""Patches for current releases of transformers."""

from typing import TYPE_CHECKING, Any, Callable, List

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


def _is_version_5() -> bool:
    """Whether transformers is version 5 or later."""
    import transformers

    return int(transformers.__version__.partition(".")[0]) >= 5


def load_models_in_float32() -> None:
    """
    transformers 5 loads weights in the precision that they were saved in, often half precision.
    AllenNLP's modules and optimizers expect single precision, which was the default before. A
    `dtype` or `torch_dtype` in the `transformer_kwargs` of an embedder still has precedence.
    """
    import torch
    from allennlp.common import cached_transformers

    if _is_version_5():

        @patch(cached_transformers, "get")
        def _get(original: Callable[..., object], *args: object, **kwargs: object) -> object:
            if "torch_dtype" not in kwargs:
                kwargs.setdefault("dtype", torch.float32)
            return original(*args, **kwargs)


def reinitialize_loaded_weights() -> None:
    """
    transformers 5 marks the weights that it has loaded, and its functions for initialization leave
    marked weights as they are. So the `reinit_modules` of AllenNLP's embedders had no effect.
    AllenNLP gets its models without the marks, which are not used after loading.
    """
    import transformers
    from allennlp.common import cached_transformers

    class AutoModel(transformers.AutoModel):
        @classmethod
        def from_pretrained(cls, *args: Any, **kwargs: Any) -> "torch.nn.Module":
            model: torch.nn.Module = super().from_pretrained(*args, **kwargs)
            for tensor in (*model.parameters(), *model.buffers()):
                vars(tensor).pop("_is_hf_initialized", None)
            return model

    if _is_version_5():
        module: Any = cached_transformers
        module.AutoModel = AutoModel


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
