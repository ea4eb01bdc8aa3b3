"""
The outputs of AllenNLP's tokenizer, indexers and embedder for a model of transformers, as JSON.

    python -m tests.helpers.transformer_outputs tests/compat/transformer_outputs.json

writes the expected values of `tests/compat/test_transformer_outputs.py`. They were recorded with
transformers 4.49.0 (and tokenizers 0.21.4).
"""

import json
import re
import sys
import tempfile
from typing import Any, Callable, Dict, List, Sequence

import transformers
from allennlp.data import Batch, Instance, Vocabulary
from allennlp.data.fields import TextField
from allennlp.data.token_indexers import (
    PretrainedTransformerIndexer,
    PretrainedTransformerMismatchedIndexer,
)
from allennlp.data.tokenizers import PretrainedTransformerTokenizer, Token
from allennlp.modules.token_embedders import PretrainedTransformerEmbedder

import multitask_model  # noqa: F401  (applies the patches)
from tests.helpers.tiny_models import make_tiny_model
from tests.helpers.tiny_tokenizers import BUILDERS, make_tiny_tokenizer

SENTENCE = "The cats sat."
LONG = "the dog ran on the mat 1 2"
WORDS = ["The", "cats", "sat", "."]


def describe(tokens: Sequence[Token]) -> List[Any]:
    return [[t.text, t.text_id, t.type_id, t.idx, t.idx_end] for t in tokens]


def tokens(model: str, text: str = SENTENCE, **options: Any) -> List[Any]:
    return describe(PretrainedTransformerTokenizer(model, **options).tokenize(text))


def pair(model: str) -> List[Any]:
    tokenizer = PretrainedTransformerTokenizer(model, add_special_tokens=False)
    first, second = tokenizer.tokenize("the cat"), tokenizer.tokenize("a dog")
    return [[t.text_id, t.type_id] for t in tokenizer.add_special_tokens(first, second)]


def words(model: str) -> List[Any]:
    pieces, offsets = PretrainedTransformerTokenizer(model).intra_word_tokenize(WORDS)
    return [describe(pieces), offsets]


def word_pair(model: str) -> List[Any]:
    tokenizer = PretrainedTransformerTokenizer(model)
    return list(tokenizer.intra_word_tokenize_sentence_pair(WORDS, ["a", "dog"])[1:])


def indices(model: str, **options: Any) -> Any:
    tokenizer = PretrainedTransformerTokenizer(model)
    indexer = PretrainedTransformerIndexer(model, **options)
    return indexer.tokens_to_indices(tokenizer.tokenize(LONG), Vocabulary())


def word_indices(model: str, **options: Any) -> Any:
    indexer = PretrainedTransformerMismatchedIndexer(model, **options)
    return indexer.tokens_to_indices([Token(word) for word in LONG.split()], Vocabulary())


def padded(model: str) -> Any:
    """The tensors of two texts of different lengths."""
    tensors = batch(model)
    return {key: tensor.tolist() for key, tensor in tensors.items()}


def vocabulary(model: str) -> List[Any]:
    vocab = Vocabulary()
    PretrainedTransformerIndexer(model).tokens_to_indices([], vocab)
    return [vocab.get_vocab_size("tags"), vocab.get_token_index("a", "tags")]


TOKENIZER_OUTPUTS: Dict[str, Callable[[str], Any]] = {
    "tokens": tokens,
    "tokens of an unknown word": lambda model: tokens(model, "Zoë ran"),
    "tokens without special tokens": lambda model: tokens(model, add_special_tokens=False),
    "truncated": lambda model: tokens(model, LONG, max_length=5),
    "truncated without special tokens": lambda model: tokens(
        model, LONG, max_length=5, add_special_tokens=False
    ),
    "pair": pair,
    "words": words,
    "pair of words": word_pair,
    "padded": padded,
    "folded": lambda model: indices(model, max_length=5),
    "folded words": lambda model: word_indices(model, max_length=5),
    "vocabulary": vocabulary,
}


def batch(model: str, **options: Any) -> Any:
    tokenizer = PretrainedTransformerTokenizer(model)
    indexers: Any = {"pieces": PretrainedTransformerIndexer(model, **options)}
    texts = [TextField(tokenizer.tokenize(text), indexers) for text in (LONG, SENTENCE)]
    instances = Batch([Instance({"text": text}) for text in texts])
    instances.index_instances(Vocabulary())
    tensors: Any = instances.as_tensor_dict()["text"]
    return tensors["pieces"]


def embeddings(model: str, last_layer_only: bool = True, **options: Any) -> List[List[float]]:
    """The first number of each token's embedding, in two texts. Padding is left out."""
    is_t5 = "T5" in type(transformers.AutoConfig.from_pretrained(model)).__name__
    embedder = PretrainedTransformerEmbedder(
        model,
        last_layer_only=last_layer_only,
        sub_module="encoder" if is_t5 else None,
        **options,
    ).eval()
    tensors = batch(model, **options)
    first = embedder(**tensors)[..., 0].detach()  # (B, T)
    return [[round(float(x), 4) for x in row[mask]] for row, mask in zip(first, tensors["mask"])]


EMBEDDER_OUTPUTS: Dict[str, Callable[[str], Any]] = {
    "embeddings": embeddings,
    "folded embeddings": lambda model: embeddings(model, max_length=8),
    "mixed embeddings": lambda model: embeddings(model, last_layer_only=False),
}


def has_outputs(name: str, output: str) -> bool:
    """
    Whether AllenNLP and transformers 4.49 can compute the output. With folding, AllenNLP requires
    a special token at the end. The encoder of T5 returns no layers but the last. ModernBERT is left
    out, because its last hidden state in the mix is normalized from transformers 5 on.
    """
    missing = {"folded embeddings": ["llama"], "mixed embeddings": ["t5", "modernbert"]}
    return name not in missing.get(output, [])


def record(file: str) -> None:
    """Writes all outputs of all models, one in a line."""
    recorded: Dict[str, Dict[str, Any]] = {}
    for name in BUILDERS:
        with tempfile.TemporaryDirectory() as model:
            make_tiny_tokenizer(name, model)
            recorded[name] = {key: get(model) for key, get in TOKENIZER_OUTPUTS.items()}
            make_tiny_model(name, model)
            embedded = {k: get for k, get in EMBEDDER_OUTPUTS.items() if has_outputs(name, k)}
            recorded[name].update({key: get(model) for key, get in embedded.items()})
    text = json.dumps(recorded, ensure_ascii=False, indent=1)
    # Lists in a line each.
    text = re.sub(r"\n {3,}", " ", text)
    with open(file, "w", encoding="utf-8") as opened:
        opened.write(text + "\n")


if __name__ == "__main__":
    record(sys.argv[1])
