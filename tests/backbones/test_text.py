"""The `text` backbone: embeddings, encoders, padding, and the layers it returns."""

import copy
import pickle
from pathlib import Path
from typing import Any, Dict

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, Instance, TextFieldTensors, Vocabulary
from allennlp.data.fields import TextField
from allennlp.data.token_indexers import (
    PretrainedTransformerMismatchedIndexer,
    SingleIdTokenIndexer,
    TokenCharactersIndexer,
)
from allennlp.data.tokenizers import Token
from allennlp.modules.backbones.backbone import Backbone
from transformers import AutoModel

from multitask_model import MultiTaskModel, TaggerHead
from multitask_model.backbones import TextBackbone
from tests.helpers.tiny_bert import HIDDEN_SIZE, make_tiny_bert

EMBEDDER = {"token_embedders": {"tokens": {"type": "embedding", "embedding_dim": 2}}}
GRU = {"type": "gru", "input_size": 2, "hidden_size": 3, "bidirectional": True}


@pytest.fixture
def vocab() -> Vocabulary:
    return Vocabulary(tokens_to_add={"tokens": ["a", "b", "c"], "characters": ["a", "b", "c"]})


def build(vocab: Vocabulary, **params: Any) -> TextBackbone:
    config = {"type": "text", "text_field_embedder": EMBEDDER, **params}
    # AllenNLP removes the parameters that it reads from a config.
    backbone = Backbone.from_params(Params(copy.deepcopy(config)), vocab=vocab)
    assert isinstance(backbone, TextBackbone)
    return backbone


def tensors(vocab: Vocabulary, *sentences: str, **indexers: Any) -> TextFieldTensors:
    indexers = indexers or {"tokens": SingleIdTokenIndexer()}
    fields = [
        TextField([Token(word) for word in sentence.split()], indexers) for sentence in sentences
    ]
    batch = Batch([Instance({"text": field}) for field in fields])
    batch.index_instances(vocab)
    text: Any = batch.as_tensor_dict()["text"]
    return text


def test_without_an_encoder_the_encoded_text_is_the_embeddings(vocab: Vocabulary) -> None:
    backbone = build(vocab)
    # Rows: padding, OOV, a, b, c.
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


def test_padding_does_not_change_the_encoding_of_a_sequence(vocab: Vocabulary) -> None:
    backbone = build(vocab, encoder=GRU).eval()
    alone = backbone(tensors(vocab, "a b"))
    padded = backbone(tensors(vocab, "a b", "c c c c"))

    assert padded["encoded_text"].shape == (2, 4, 6)
    torch.testing.assert_close(padded["encoded_text"][:1, :2], alone["encoded_text"])
    assert padded["encoded_text_mask"].tolist() == [[True, True, False, False], [True] * 4]


def test_embeddings_of_several_indexers_are_concatenated(vocab: Vocabulary) -> None:
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
def test_every_parameter_gets_a_gradient(vocab: Vocabulary, encoder: Any) -> None:
    backbone = build(vocab, encoder=encoder, dropout=0.1)
    # Squared, because the sum of a layer's outputs may not depend on its inputs.
    backbone(tensors(vocab, "a b", "c"))["encoded_text"].square().sum().backward()
    for name, parameter in backbone.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_embeddings_and_encoder_are_dropped_out_in_training_mode_only(vocab: Vocabulary) -> None:
    text = tensors(vocab, " ".join("abc" * 50))
    plain = build(vocab, encoder=GRU).eval()
    dropping = build(vocab, encoder=GRU, dropout=0.5)
    dropping.load_state_dict(plain.state_dict())

    encoded = dropping(text)["encoded_text"]

    assert 0.4 < (encoded == 0).float().mean() < 0.6  # of 900 elements
    # The kept elements are scaled by 2, but were encoded from embeddings with dropout.
    kept = encoded != 0
    assert not torch.allclose(encoded[kept], 2 * plain(text)["encoded_text"][kept])
    torch.testing.assert_close(dropping.eval()(text), plain(text))


def test_an_encoder_of_another_size_is_rejected(vocab: Vocabulary) -> None:
    message = (
        "The encoder of a text backbone must accept the vectors of its text_field_embedder, which "
        "have size 2, but got an encoder with input size 7. Set the encoder's input size to 2."
    )
    with pytest.raises(ConfigurationError) as error:
        build(vocab, encoder={"type": "pass_through", "input_dim": 7})
    assert str(error.value) == message


COMPOSED = {
    "type": "compose",
    "encoders": [{**GRU}, {**GRU, "input_size": 6, "hidden_size": 4}],
}


def test_composed_encoders_are_one_layer_each(vocab: Vocabulary) -> None:
    layers = {"words": 0, "low": 1, "high": -1}
    backbone = build(vocab, encoder=COMPOSED, output_layers=layers).eval()
    text = tensors(vocab, "a b", "c")

    outputs = backbone(text)

    assert {name: output.shape for name, output in outputs.items()} == {
        "words": (2, 2, 2),
        "low": (2, 2, 6),
        "high": (2, 2, 8),
        "encoded_text_mask": (2, 2),
    }
    plain = build(vocab, encoder=COMPOSED).eval()
    plain.load_state_dict(backbone.state_dict())
    torch.testing.assert_close(outputs["high"], plain(text)["encoded_text"])
    first = build(vocab, encoder=GRU).eval()
    state = {k: v for k, v in backbone.state_dict().items() if "encoder1." not in k}
    first.load_state_dict({name.replace("encoder0.", ""): value for name, value in state.items()})
    torch.testing.assert_close(outputs["low"], first(text)["encoded_text"])


def test_the_output_dim_is_the_size_of_the_encoded_tokens(vocab: Vocabulary) -> None:
    assert build(vocab).get_output_dim() == 2
    assert build(vocab, encoder=GRU).get_output_dim() == 6
    assert build(vocab, encoder=COMPOSED).get_output_dim() == 8


def test_every_output_layer_has_its_own_output_dim(vocab: Vocabulary) -> None:
    layers = {"words": 0, "low": -2, "high": -1}
    backbone = build(vocab, encoder=COMPOSED, output_layers=layers)
    outputs = backbone(tensors(vocab, "a b"))
    for name, expected in {"words": 2, "low": 6, "high": 8}.items():
        assert backbone.get_output_dim(name) == outputs[name].size(-1) == expected


@pytest.mark.parametrize("name", ["encoded_text", "encoded_text_mask"])
def test_an_unknown_output_has_no_output_dim(vocab: Vocabulary, name: str) -> None:
    backbone = build(vocab, output_layers={"low": 0, "high": -1})
    with pytest.raises(ConfigurationError) as error:
        backbone.get_output_dim(name)
    assert str(error.value) == (
        f"name must name one of the outputs, but got {name!r}. Known names: ['low', 'high']."
    )


@pytest.fixture
def bert(tmp_path: Path) -> str:
    return make_tiny_bert(tmp_path / "bert", layers=2)


def transformer(name: str, kind: str) -> Dict[str, Any]:
    return {"token_embedders": {"bert": {"type": kind, "model_name": name}}}


def test_the_layers_of_a_transformer_are_pooled_over_word_pieces(
    vocab: Vocabulary, bert: str
) -> None:
    embedder = transformer(bert, "pretrained_transformer_mismatched")
    layers = {f"layer{i}": i for i in range(3)}
    text = tensors(vocab, "cat sats", "dog", bert=PretrainedTransformerMismatchedIndexer(bert))
    backbone = build(vocab, text_field_embedder=embedder, output_layers=layers).eval()

    outputs = backbone(text)

    ids: Any = text["bert"]["token_ids"]
    model = AutoModel.from_pretrained(bert).eval()
    mask: Any = text["bert"]["wordpiece_mask"]
    hidden = model(ids, attention_mask=mask.float(), output_hidden_states=True).hidden_states
    for layer in range(3):
        # [CLS] cat sat ##s [SEP] and [CLS] dog [SEP]
        pieces = hidden[layer]
        found = outputs[f"layer{layer}"]
        torch.testing.assert_close(found[0, 0], pieces[0, 1])
        torch.testing.assert_close(found[0, 1], (pieces[0, 2] + pieces[0, 3]) / 2)
        torch.testing.assert_close(found[1, 0], pieces[1, 1])
    plain = build(vocab, text_field_embedder=embedder).eval()
    torch.testing.assert_close(outputs["layer2"], plain(text)["encoded_text"])
    assert outputs["encoded_text_mask"].tolist() == [[True, True], [True, False]]


def test_the_encoder_is_the_layer_after_those_of_a_transformer(
    vocab: Vocabulary, bert: str
) -> None:
    embedder = transformer(bert, "pretrained_transformer_mismatched")
    encoder = {**GRU, "input_size": HIDDEN_SIZE}
    layers = {"low": 1, "encoded_text": 3}
    backbone = build(vocab, text_field_embedder=embedder, encoder=encoder, output_layers=layers)
    plain = build(vocab, text_field_embedder=embedder, encoder=encoder).eval()
    plain.load_state_dict(backbone.state_dict())
    text = tensors(vocab, "cat", bert=PretrainedTransformerMismatchedIndexer(bert))
    outputs = backbone.eval()(text)
    assert outputs["low"].shape == (1, 1, HIDDEN_SIZE)
    assert backbone.get_output_dim("low") == HIDDEN_SIZE
    assert backbone.get_output_dim() == plain.get_output_dim() == 6
    torch.testing.assert_close(outputs["encoded_text"], plain(text)["encoded_text"])


@pytest.mark.parametrize("how", ["pickle", "copy"])
def test_a_copy_of_the_backbone_does_not_share_layers(
    vocab: Vocabulary, bert: str, how: str
) -> None:
    embedder = transformer(bert, "pretrained_transformer_mismatched")
    backbone = build(vocab, text_field_embedder=embedder, output_layers={"low": 1}).eval()
    text = tensors(vocab, "cat sats", bert=PretrainedTransformerMismatchedIndexer(bert))
    # Before it runs: transformers 5 then adds hooks that cannot be pickled.
    other = copy.deepcopy(backbone) if how == "copy" else pickle.loads(pickle.dumps(backbone))
    before = backbone(text)["low"]
    torch.nn.init.zeros_(next(backbone.parameters()))  # does not change the copy
    torch.testing.assert_close(other(text)["low"], before)
    assert not torch.allclose(backbone(text)["low"], before)


def test_heads_select_layers_through_arg_name_mapping(vocab: Vocabulary) -> None:
    vocab.add_tokens_to_namespace(["N", "V"], "labels")
    layers = {"low": 1, "high": 2}
    model = MultiTaskModel(
        vocab,
        build(vocab, encoder=COMPOSED, output_layers=layers),
        {"upos": TaggerHead(vocab, 6), "xpos": TaggerHead(vocab, 8)},
        task_heads={"both": ["upos", "xpos"]},
        arg_name_mapping={"upos": {"low": "encoded_text"}, "xpos": {"high": "encoded_text"}},
    )
    tags = torch.tensor([[0, 1]])
    model(text=tensors(vocab, "a b"), tags=tags, task=["both"])["upos_loss"].backward()
    reached = {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert any("encoder0" in name for name in reached)
    assert not any("encoder1" in name for name in reached)  # above the layer that this head uses


@pytest.mark.parametrize("layer", [2, -3])
def test_a_missing_layer_is_rejected(vocab: Vocabulary, layer: int) -> None:
    with pytest.raises(ConfigurationError) as error:
        build(vocab, encoder=GRU, output_layers={"low": layer})
    assert str(error.value) == (
        f"output_layers must hold indices of the backbone's 2 layers, from 0 to 1, but got {layer} "
        "for 'low'. Correct the index; a transformer's layers are available only if it is the only "
        "embedder."
    )


def test_an_output_with_the_name_of_the_mask_is_rejected(vocab: Vocabulary) -> None:
    with pytest.raises(ConfigurationError) as error:
        build(vocab, output_layers={"encoded_text_mask": 0})
    assert str(error.value) == (
        "output_layers must not use the name of the mask, but got 'encoded_text_mask' in "
        "['encoded_text_mask']. Rename that output."
    )


@pytest.mark.parametrize(
    ("option", "found"),
    [({"max_length": 9}, "max_length"), ({"last_layer_only": False}, "last_layer_only=False")],
)
def test_a_transformer_that_folds_sequences_or_mixes_layers_is_rejected(
    vocab: Vocabulary, bert: str, option: Dict[str, Any], found: str
) -> None:
    embedder = transformer(bert, "pretrained_transformer")
    embedder["token_embedders"]["bert"].update(option)
    with pytest.raises(ConfigurationError) as error:
        build(vocab, text_field_embedder=embedder, output_layers={"low": 1})
    assert str(error.value) == (
        "output_layers needs an embedder that returns the last layer of a transformer for unfolded "
        f"sequences, but got one with {found}. Remove that option of the embedder, or "
        "output_layers."
    )
