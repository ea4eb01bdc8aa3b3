import copy
from typing import Any, Dict

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, Instance, TextFieldTensors, Vocabulary
from allennlp.data.fields import TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer, TokenCharactersIndexer
from allennlp.data.tokenizers import Token
from allennlp.modules.backbones.backbone import Backbone

from multitask_model.backbones import TextBackbone

EMBEDDER = {"token_embedders": {"tokens": {"type": "embedding", "embedding_dim": 2}}}
GRU = {"type": "gru", "input_size": 2, "hidden_size": 3, "bidirectional": True}


@pytest.fixture
def vocab() -> Vocabulary:
    return Vocabulary(tokens_to_add={"tokens": ["a", "b", "c"], "characters": ["a", "b", "c"]})


def build(vocab: Vocabulary, **params: Any) -> TextBackbone:
    config = {"type": "text", "text_field_embedder": EMBEDDER, **params}
    # A copy, since AllenNLP takes the parameters out of what it builds from.
    backbone = Backbone.from_params(Params(copy.deepcopy(config)), vocab=vocab)
    assert isinstance(backbone, TextBackbone)
    return backbone


def tensors(vocab: Vocabulary, *texts: str, **indexers: Any) -> TextFieldTensors:
    indexers = indexers or {"tokens": SingleIdTokenIndexer()}
    fields = [TextField([Token(word) for word in text.split()], indexers) for text in texts]
    batch = Batch([Instance({"text": field}) for field in fields])
    batch.index_instances(vocab)
    text: Any = batch.as_tensor_dict()["text"]
    return text


def test_without_an_encoder_the_encoded_text_is_the_embeddings(vocab: Vocabulary) -> None:
    backbone = build(vocab)
    # Rows: padding, unknown, a, b, c.
    weight = torch.tensor([[0.0, 0.0], [9.0, 9.0], [1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    backbone.load_state_dict({"_text_field_embedder.token_embedder_tokens.weight": weight})

    outputs = backbone(tensors(vocab, "a c", "b"))

    assert outputs["encoded_text"].tolist() == [[[1.0, 2.0], [5.0, 6.0]], [[3.0, 4.0], [0.0, 0.0]]]
    assert outputs["encoded_text_mask"].tolist() == [[True, True], [True, False]]
    assert outputs.keys() == {"encoded_text", "encoded_text_mask"}


def test_the_encoder_runs_over_the_embeddings(vocab: Vocabulary) -> None:
    doubling = {
        "type": "feedforward",
        "feedforward": {"input_dim": 2, "num_layers": 1, "hidden_dims": 1, "activations": "linear"},
    }
    backbone = build(vocab, encoder=doubling)
    for name, parameter in backbone.named_parameters():
        torch.nn.init.constant_(parameter, 0.5 if name.endswith("bias") else 2.0)

    outputs = backbone(tensors(vocab, "a b", "c"))

    # Each embedding is (2, 2), so each token becomes 2 * 2 + 2 * 2 + 0.5. Padding becomes 0.
    assert outputs["encoded_text"].tolist() == [[[8.5], [8.5]], [[8.5], [0.0]]]


def test_padding_does_not_change_the_encoding_of_a_text(vocab: Vocabulary) -> None:
    backbone = build(vocab, encoder=GRU).eval()
    alone = backbone(tensors(vocab, "a b"))
    padded = backbone(tensors(vocab, "a b", "c c c c"))

    assert padded["encoded_text"].shape == (2, 4, 6)
    torch.testing.assert_close(padded["encoded_text"][:1, :2], alone["encoded_text"])
    assert padded["encoded_text_mask"].tolist() == [[True, True, False, False], [True] * 4]


def test_several_indexers(vocab: Vocabulary) -> None:
    characters = {
        "type": "character_encoding",
        "embedding": {"embedding_dim": 2, "vocab_namespace": "characters"},
        "encoder": {"type": "boe", "embedding_dim": 2},
    }
    embedders = {**EMBEDDER["token_embedders"], "characters": characters}
    backbone = build(vocab, text_field_embedder={"token_embedders": embedders})
    indexers: Dict[str, Any] = {
        "tokens": SingleIdTokenIndexer(),
        "characters": TokenCharactersIndexer(min_padding_length=1),
    }

    outputs = backbone(tensors(vocab, "a b c", "b", **indexers))

    assert outputs["encoded_text"].shape == (2, 3, 4)
    assert outputs["encoded_text_mask"].tolist() == [[True] * 3, [True, False, False]]


@pytest.mark.parametrize("encoder", [None, GRU])
def test_a_gradient_reaches_every_parameter(vocab: Vocabulary, encoder: Any) -> None:
    backbone = build(vocab, encoder=encoder, dropout=0.1)
    # The square, since the sum of a layer's outputs may not depend on what is below.
    backbone(tensors(vocab, "a b", "c"))["encoded_text"].square().sum().backward()
    for name, parameter in backbone.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_dropout_of_embeddings_and_of_the_encoder_is_for_training_only(vocab: Vocabulary) -> None:
    text = tensors(vocab, " ".join("abc" * 50))
    plain = build(vocab, encoder=GRU).eval()
    dropping = build(vocab, encoder=GRU, dropout=0.5)
    dropping.load_state_dict(plain.state_dict())

    encoded = dropping(text)["encoded_text"]

    assert 0.4 < (encoded == 0).float().mean() < 0.6  # of 900 elements
    # What was not dropped was scaled by 2, but comes from embeddings of which some were dropped.
    kept = encoded != 0
    assert not torch.allclose(encoded[kept], 2 * plain(text)["encoded_text"][kept])
    torch.testing.assert_close(dropping.eval()(text), plain(text))


def test_an_encoder_of_another_size_is_refused(vocab: Vocabulary) -> None:
    message = (
        "The encoder of a text backbone has to take the vectors that text_field_embedder makes, "
        "but text_field_embedder makes 2 dimensions and the encoder takes 7. "
        "Set the encoder's input size to 2."
    )
    with pytest.raises(ConfigurationError) as error:
        build(vocab, encoder={"type": "pass_through", "input_dim": 7})
    assert str(error.value) == message
