"""A BERT that is small enough to be made on the spot, for tests without a network."""

import os
from typing import Union

import torch
from transformers import BertConfig, BertModel, BertTokenizerFast

HIDDEN_SIZE = 8

# One id per line, from 0 on: the special tokens, then words, then the pieces of other words.
VOCABULARY = [
    *["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
    *["the", "cat", "dog", "sat", "ran", "on", "mat", "a", "b", "1", "2", "not", "good", "bad"],
    *["##s", "##ing", "##ly", "##er", "."],
]


def make_tiny_bert(directory: Union[str, "os.PathLike[str]"], layers: int = 1) -> str:
    """
    Writes a lowercasing BERT with random but always the same weights, and its tokenizer.

    # Parameters

    directory : `Union[str, os.PathLike]`
        Made if it does not exist.
    layers : `int`, optional (default = `1`)

    # Returns

    `str`
        `directory`, which `AutoModel` and `AutoTokenizer` load, as `model_name`, without a network.
    """
    directory = os.fspath(directory)
    os.makedirs(directory, exist_ok=True)
    vocabulary = os.path.join(directory, "vocab.txt")
    with open(vocabulary, "w") as file:
        file.write("\n".join(VOCABULARY) + "\n")
    BertTokenizerFast(vocabulary, do_lower_case=True).save_pretrained(directory)

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
    return directory
