"""Tiny transformers of several architectures, with the same weights in every release."""

import os
from typing import Any, Dict, Union

import torch
import transformers

from tests.helpers.tiny_tokenizers import make_tiny_tokenizer

SIZES: Dict[str, Any] = {
    "hidden_size": 8,
    "intermediate_size": 16,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "max_position_embeddings": 64,
    "vocab_size": 400,
}
RELATIVE = {
    "relative_attention": True,
    "position_biased_input": False,
    "pos_att_type": ["p2c", "c2p"],
}
T5_SIZES = {"d_model": 8, "d_ff": 16, "d_kv": 4, "num_heads": 2, "num_layers": 2, "vocab_size": 400}

# The class of the config without "Config", and its arguments.
MODELS: Dict[str, Any] = {
    "bert": ("Bert", SIZES),
    "roberta": ("Roberta", {**SIZES, "type_vocab_size": 1, "pad_token_id": 1}),
    "deberta-v2": ("DebertaV2", {**SIZES, **RELATIVE, "type_vocab_size": 0, "conv_kernel_size": 3}),
    "deberta-v3": ("DebertaV2", {**SIZES, **RELATIVE, "type_vocab_size": 0, "position_buckets": 4}),
    "xlm-roberta": ("XLMRoberta", {**SIZES, "type_vocab_size": 1, "pad_token_id": 1}),
    "modernbert": ("ModernBert", {**SIZES, "pad_token_id": 0, "reference_compile": False}),
    "t5": ("T5", T5_SIZES),
    "llama": ("Llama", {**SIZES, "num_key_value_heads": 1}),
}


def make_tiny_model(name: str, directory: Union[str, "os.PathLike[str]"]) -> str:
    """Writes a model of `MODELS` and its tokenizer. Returns the directory, the `model_name`."""
    make_tiny_tokenizer(name, directory)
    class_name, arguments = MODELS[name]
    model = getattr(transformers, f"{class_name}Model")(
        getattr(transformers, f"{class_name}Config")(**arguments)
    )
    with torch.no_grad():
        for index, (_, parameter) in enumerate(sorted(model.named_parameters())):
            numbers = torch.arange(parameter.numel(), dtype=torch.float64)
            parameter.copy_(torch.sin(numbers * 1.7 + index).reshape(parameter.shape) / 2)
    model.save_pretrained(directory)
    return os.fspath(directory)
