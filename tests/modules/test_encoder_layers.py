"""Encoders inside encoders, and embedders without a transformer."""

from pathlib import Path
from typing import Any, List

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.modules import Seq2SeqEncoder
from allennlp.modules.seq2seq_encoders import ComposeEncoder, PassThroughEncoder
from allennlp.modules.text_field_embedders import BasicTextFieldEmbedder
from allennlp.modules.token_embedders import (
    Embedding,
    PretrainedTransformerMismatchedEmbedder,
)

from multitask_model.modules.encoder_layers import find_transformer, flatten_encoder
from tests.helpers.messages import exactly
from tests.helpers.tiny_bert import make_tiny_bert


class OwnPooling(PretrainedTransformerMismatchedEmbedder):
    """May compute something else than the pooled layers."""

    def forward(self, *inputs: Any, **named: Any) -> Any:
        raise NotImplementedError


class OwnEmbedder(BasicTextFieldEmbedder):
    """May compute something else than the vectors of its embedder."""

    def forward(self, *inputs: Any, **named: Any) -> Any:
        raise NotImplementedError


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


@pytest.mark.parametrize("is_text_embedder", [False, True])
def test_an_embedder_with_a_forward_of_its_own_is_an_error(
    is_text_embedder: bool, tmp_path: Path
) -> None:
    outer = OwnEmbedder if is_text_embedder else BasicTextFieldEmbedder
    inner = PretrainedTransformerMismatchedEmbedder if is_text_embedder else OwnPooling
    known = "BasicTextFieldEmbedder" if is_text_embedder else inner.__bases__[0].__name__
    message = (
        f"The layers of a transformer need an embedder with the forward() of {known}, but "
        f"{(outer if is_text_embedder else inner).__name__} has its own. Remove output_layers and "
        "layer_mixes, or use AllenNLP's embedder."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        find_transformer(outer({"bert": inner(make_tiny_bert(tmp_path, layers=2))}))


def test_a_subclass_with_the_same_forward_has_transformer_layers(tmp_path: Path) -> None:
    class Named(PretrainedTransformerMismatchedEmbedder):
        pass

    inner = Named(make_tiny_bert(tmp_path, layers=2))
    found = find_transformer(BasicTextFieldEmbedder({"bert": inner}))
    assert found is not None
    assert found.num_layers == 3
