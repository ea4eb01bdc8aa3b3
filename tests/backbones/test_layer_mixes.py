"""The `layer_mixes` of the `text` backbone."""

import copy
from pathlib import Path
from typing import Any, List

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.data.token_indexers import PretrainedTransformerMismatchedIndexer
from allennlp.modules.text_field_embedders import BasicTextFieldEmbedder

from tests.backbones.test_text import build, tensors, transformer
from tests.helpers.messages import exactly
from tests.helpers.tiny_bert import HIDDEN_SIZE, make_tiny_bert

LAYERS = {f"layer{i}": i for i in range(3)}


@pytest.fixture
def vocab() -> Vocabulary:
    return Vocabulary(tokens_to_add={"tokens": ["a", "b", "c"]})


@pytest.fixture
def bert(tmp_path: Path) -> str:
    return make_tiny_bert(tmp_path / "bert", layers=2)


def text_for(vocab: Vocabulary, bert: str) -> Any:
    return tensors(vocab, "cat sats", bert=PretrainedTransformerMismatchedIndexer(bert))


def test_a_mix_is_the_weighted_sum_of_all_layers(vocab: Vocabulary, bert: str) -> None:
    embedder = transformer(bert, "pretrained_transformer_mismatched")
    mixes = ["tags", "a.b"]  # any name
    backbone = build(
        vocab, text_field_embedder=embedder, output_layers=LAYERS, layer_mixes=mixes
    ).eval()
    scalars = {name: p for name, p in backbone.named_parameters() if name.startswith("_mixes.1")}
    for parameter, value in zip(scalars.values(), [2.0, 0.0, 0.0, 1.0]):  # gamma, then the layers
        torch.nn.init.constant_(parameter, value)
    outputs = backbone(text_for(vocab, bert))
    layers = torch.stack([outputs[name] for name in LAYERS])
    weights = torch.tensor([0.0, 0.0, 1.0]).softmax(0)
    expected = 2.0 * (weights[:, None, None, None] * layers).sum(0)
    torch.testing.assert_close(outputs["tags"], layers.mean(0))
    torch.testing.assert_close(outputs["a.b"], expected)


def test_mixes_are_the_only_outputs_by_default(vocab: Vocabulary, bert: str) -> None:
    embedder = transformer(bert, "pretrained_transformer_mismatched")
    backbone = build(vocab, text_field_embedder=embedder, layer_mixes=["tags"])
    assert set(backbone(text_for(vocab, bert))) == {"tags", "encoded_text_mask"}
    assert backbone.get_output_dim("tags") == HIDDEN_SIZE


def test_every_weight_of_a_mix_is_trained(vocab: Vocabulary, bert: str) -> None:
    embedder = transformer(bert, "pretrained_transformer_mismatched")
    backbone = build(vocab, text_field_embedder=embedder, layer_mixes=["tags"])
    backbone(text_for(vocab, bert))["tags"].square().sum().backward()
    gradients = [p.grad for name, p in backbone.named_parameters() if name.startswith("_mixes")]
    assert len(gradients) == 4
    assert all(gradient is not None and gradient.any() for gradient in gradients)


@pytest.mark.parametrize("names", [["tags", "tags"], ["tags", "low"], ["encoded_text_mask"]])
def test_a_name_that_is_used_twice_is_rejected(vocab: Vocabulary, names: List[str]) -> None:
    used = ["low", *names, "encoded_text_mask"]
    message = (
        "layer_mixes must hold names that no other output of the backbone has, but got "
        f"{[names[-1]]} more than once among {used}. Rename it."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        build(vocab, output_layers={"low": 0}, layer_mixes=names)


def test_layers_of_different_sizes_are_rejected(vocab: Vocabulary) -> None:
    encoder = {"type": "gru", "input_size": 2, "hidden_size": 3}
    message = (
        "layer_mixes needs layers of the same size, but got [2, 3]. Give the encoder the output "
        "size of the embedder, or use output_layers."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        build(vocab, encoder=encoder, layer_mixes=["tags"])


def test_no_layer_is_kept_after_an_error(vocab: Vocabulary, bert: str) -> None:
    embedder = transformer(bert, "pretrained_transformer_mismatched")
    backbone = build(vocab, text_field_embedder=embedder, layer_mixes=["tags"])

    def fail(module: torch.nn.Module, inputs: object, output: object) -> None:
        raise KeyError

    whole = next(m for m in backbone.modules() if isinstance(m, BasicTextFieldEmbedder))
    handle = whole.register_forward_hook(fail)
    with pytest.raises(KeyError):
        backbone(text_for(vocab, bert))
    handle.remove()
    copy.deepcopy(backbone)  # impossible with the tensors of a graph


def test_hooks_of_the_embedder_have_an_effect(vocab: Vocabulary, bert: str) -> None:
    embedder = transformer(bert, "pretrained_transformer_mismatched")
    backbone = build(
        vocab, text_field_embedder=embedder, output_layers={"last": -1}, layer_mixes=["tags"]
    )
    gradients: List[object] = []
    whole = next(m for m in backbone.modules() if isinstance(m, BasicTextFieldEmbedder))
    whole.register_forward_hook(lambda module, inputs, output: output.zero_())
    whole.register_full_backward_hook(lambda module, inputs, outputs: gradients.append(outputs))
    outputs = backbone.eval()(text_for(vocab, bert))
    outputs["tags"].sum().backward()
    assert not outputs["last"].any()
    assert len(gradients) == 1
