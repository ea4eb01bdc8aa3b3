"""Encoders inside encoders, and embedders without a transformer."""

from typing import List

from allennlp.modules import Seq2SeqEncoder
from allennlp.modules.seq2seq_encoders import ComposeEncoder, PassThroughEncoder
from allennlp.modules.text_field_embedders import BasicTextFieldEmbedder
from allennlp.modules.token_embedders import Embedding

from multitask_model.modules.encoder_layers import find_transformer, flatten_encoder


def test_no_encoder_is_no_layer() -> None:
    assert flatten_encoder(None) == []


def test_a_single_encoder_is_one_layer() -> None:
    encoder = PassThroughEncoder(2)
    assert flatten_encoder(encoder) == [encoder]


def test_nested_composed_encoders_are_flattened_in_order() -> None:
    encoders: List[Seq2SeqEncoder] = [PassThroughEncoder(2) for _ in range(3)]
    nested = ComposeEncoder([ComposeEncoder(encoders[:2]), encoders[2]])
    assert flatten_encoder(nested) == encoders


def test_an_embedder_without_a_transformer_has_no_transformer_layers() -> None:
    embedding = Embedding(embedding_dim=2, num_embeddings=3)
    assert find_transformer(BasicTextFieldEmbedder({"tokens": embedding})) is None


def test_an_embedder_of_several_indexers_has_no_transformer_layers() -> None:
    embeddings = {name: Embedding(embedding_dim=2, num_embeddings=3) for name in "ab"}
    assert find_transformer(BasicTextFieldEmbedder({**embeddings})) is None
