"""A tiny BERT that tests create themselves, so that they need no download."""

import os
from typing import Union

import torch
from transformers import AutoTokenizer, BertConfig, BertModel

HIDDEN_SIZE = 8

# In the order of their indices: special tokens, words, word pieces.
VOCABULARY = [
    *["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
    *["the", "cat", "dog", "sat", "ran", "on", "mat", "a", "b", "1", "2", "not", "good", "bad"],
    *["##s", "##ing", "##ly", "##er", "."],
]


def make_tiny_bert(directory: Union[str, "os.PathLike[str]"], layers: int = 1) -> str:
    """
    Saves an uncased BERT and its tokenizer. The weights are random, but equal in every call.

    # Parameters

    directory : `Union[str, os.PathLike]`
        Created if it does not exist.
    layers : `int`, optional (default = `1`)

    # Returns

    `str`
        `directory`, the `model_name` for `AutoModel`, `AutoTokenizer` and AllenNLP's embedders.
    """
    directory = os.fspath(directory)
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, "vocab.txt"), "w") as file:
        file.write("\n".join(VOCABULARY) + "\n")

    config = BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=HIDDEN_SIZE,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=2 * HIDDEN_SIZE,
        max_position_embeddings=32,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertModel(config).save_pretrained(directory)
    AutoTokenizer.from_pretrained(directory, do_lower_case=True).save_pretrained(directory)
    return directory
