"""Encoders inside encoders, and embedders without a transformer."""

from pathlib import Path
from typing import List, Optional, Type

import pytest
from allennlp.modules import Seq2SeqEncoder, TextFieldEmbedder
from allennlp.modules.seq2seq_encoders import ComposeEncoder, PassThroughEncoder
from allennlp.modules.text_field_embedders import BasicTextFieldEmbedder
from allennlp.modules.token_embedders import (
    Embedding,
    PretrainedTransformerMismatchedEmbedder,
)

from multitask_model.modules.encoder_layers import find_transformer, flatten_encoder
from tests.helpers.tiny_bert import make_tiny_bert


class OwnPooling(PretrainedTransformerMismatchedEmbedder):
    """May compute something else than the pooled layers."""


class OwnEmbedder(BasicTextFieldEmbedder):
    """May compute something else than the vectors of its embedder."""


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


@pytest.mark.parametrize(
    ("embedder", "inner", "layers"),
    [
        (BasicTextFieldEmbedder, PretrainedTransformerMismatchedEmbedder, 3),
        (BasicTextFieldEmbedder, OwnPooling, None),
        (OwnEmbedder, PretrainedTransformerMismatchedEmbedder, None),
    ],
)
def test_only_embedders_whose_computation_is_known_have_transformer_layers(
    embedder: Type[BasicTextFieldEmbedder],
    inner: Type[PretrainedTransformerMismatchedEmbedder],
    layers: Optional[int],
    tmp_path: Path,
) -> None:
    whole: TextFieldEmbedder = embedder({"bert": inner(make_tiny_bert(tmp_path, layers=2))})
    found = find_transformer(whole)
    assert (found and found.num_layers) == layers
