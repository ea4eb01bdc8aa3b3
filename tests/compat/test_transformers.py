"""The patches for transformers, tested on AllenNLP's own classes."""

import copy
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
import torch
from allennlp.common import Params, cached_transformers
from allennlp.data import Vocabulary
from allennlp.data.tokenizers import Tokenizer
from allennlp.models import Model
from allennlp.modules.token_embedders import PretrainedTransformerEmbedder
from allennlp.nn.module import Module
from transformers import BertModel

import multitask_model  # noqa: F401  (applies the patches)
from tests.helpers.tiny_bert import HIDDEN_SIZE, make_tiny_bert

KEY = "_text_field_embedder.token_embedder_tokens.transformer_model.embeddings.position_ids"


@pytest.fixture(name="tiny_bert", scope="module")
def _tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_tiny_bert(tmp_path_factory.mktemp("tiny_bert"))


# --- tokenizers


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, "[CLS] the cat ##s sat . [SEP]"),
        ({"add_special_tokens": True}, "[CLS] the cat ##s sat . [SEP]"),
        ({"add_special_tokens": False}, "the cat ##s sat ."),
        ({"max_length": 4}, "[CLS] the cat [SEP]"),
        ({"max_length": 4, "add_special_tokens": False}, "the cat ##s sat"),
        ({"tokenizer_kwargs": {"use_fast": False}}, "[CLS] the cat ##s sat . [SEP]"),
    ],
)
def test_special_tokens_are_added_as_configured(
    params: Dict[str, Any], expected: str, tiny_bert: str
) -> None:
    config = Params({"type": "pretrained_transformer", "model_name": tiny_bert, **params})
    tokens = Tokenizer.from_params(config).tokenize("The cats sat.")
    assert [token.text for token in tokens] == expected.split()


def test_tokens_have_ids_and_offsets(tiny_bert: str) -> None:
    config = Params({"type": "pretrained_transformer", "model_name": tiny_bert})
    tokens = Tokenizer.from_params(config).tokenize("The cats")
    assert [(token.text_id, token.idx, token.idx_end) for token in tokens] == [
        *[(2, None, None), (5, 0, 3), (6, 4, 7), (19, 7, 8), (3, None, None)]
    ]


# --- `position_ids` of old archives


@pytest.fixture(name="archive")
def _archive(tiny_bert: str, tmp_path: Path) -> Tuple[Params, Path]:
    """The config and directory of a model that was saved with `position_ids`."""
    embedder = {"type": "pretrained_transformer", "model_name": tiny_bert}
    config = {
        "type": "basic_classifier",
        "text_field_embedder": {"token_embedders": {"tokens": embedder}},
        "seq2vec_encoder": {"type": "bag_of_embeddings", "embedding_dim": HIDDEN_SIZE},
        "num_labels": 2,
    }
    vocab = Vocabulary.empty()
    vocab.save_to_files(str(tmp_path / "vocabulary"))
    model = Model.from_params(Params(copy.deepcopy(config)), vocab=vocab)
    torch.nn.init.constant_(model.get_parameter("_classification_layer.bias"), 7.0)
    state = {**model.state_dict(), KEY: torch.arange(32).expand(1, -1)}
    torch.save(state, tmp_path / "best.th")
    return Params({"model": config}), tmp_path


def test_an_archive_with_position_ids_is_loaded(archive: Tuple[Params, Path]) -> None:
    config, directory = archive
    model = Model.load(config, directory)
    saved = torch.load(directory / "best.th")
    for name, value in model.state_dict().items():
        assert torch.equal(value, saved[name]), name
    assert model.get_parameter("_classification_layer.bias").tolist() == [7.0, 7.0]


@pytest.mark.parametrize(
    "key",
    [
        "position_ids",  # the model itself has no such buffer
        "_classification_layer.position_ids",
        "_nowhere.position_ids",
        "_classification_layer.scale",
    ],
)
def test_an_unexpected_key_is_still_an_error(key: str, archive: Tuple[Params, Path]) -> None:
    config, directory = archive
    state = torch.load(directory / "best.th")
    torch.save({**state, key: torch.zeros(1)}, directory / "best.th")
    with pytest.raises(RuntimeError, match=rf"Unexpected keys: \['{key}'\]"):
        Model.load(config, directory)


def test_the_key_of_another_unsaved_buffer_is_still_an_error() -> None:
    module = Module()
    module.register_buffer("mask", torch.zeros(1), persistent=False)
    with pytest.raises(RuntimeError, match='Unexpected key.*"mask"'):
        module.load_state_dict({"mask": torch.zeros(1)})


# --- loading models


@pytest.fixture(name="half_bert", scope="module")
def _half_bert(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model that was saved in half precision."""
    directory = make_tiny_bert(tmp_path_factory.mktemp("half_bert"))
    BertModel.from_pretrained(directory).half().save_pretrained(directory)
    return directory


@pytest.mark.parametrize("load_weights", [True, False])
def test_a_model_in_half_precision_is_loaded_in_single_precision(
    load_weights: bool, half_bert: str
) -> None:
    embedder = PretrainedTransformerEmbedder(half_bert, load_weights=load_weights)
    assert {parameter.dtype for parameter in embedder.parameters()} == {torch.float32}


def test_a_given_precision_has_precedence(tmp_path: Path) -> None:
    options = {"torch_dtype": torch.float16}
    embedder = PretrainedTransformerEmbedder(make_tiny_bert(tmp_path), transformer_kwargs=options)
    assert {parameter.dtype for parameter in embedder.parameters()} == {torch.float16}


@pytest.mark.parametrize(
    ("modules", "changed"),
    [
        (1, ["encoder.layer.1"]),
        (["pooler"], ["pooler"]),
        (["pooler", "layer.0"], ["encoder.layer.0", "pooler"]),
    ],
)
def test_modules_are_reinitialized(modules: Any, changed: List[str], tmp_path: Path) -> None:
    model = make_tiny_bert(tmp_path, layers=2)
    loaded = dict(cached_transformers.get(model, True).named_parameters())
    spec = modules if isinstance(modules, int) else tuple(modules)
    other = dict(cached_transformers.get(model, True, reinit_modules=spec).named_parameters())
    different = {name for name in loaded if not torch.equal(loaded[name], other[name])}
    assert different == {
        name for name in loaded if name.startswith(tuple(changed)) and is_random(name)
    }


def is_random(name: str) -> bool:
    """Whether BERT initializes the parameter with random numbers and not with a constant."""
    return name.endswith("weight") and "LayerNorm" not in name
