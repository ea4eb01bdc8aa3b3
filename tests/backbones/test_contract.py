"""The contract of every backbone. A new backbone needs one row in `BACKBONES`."""

import copy
from typing import Dict, NamedTuple

import pytest
import torch
from allennlp.common import Params
from allennlp.data import TextFieldTensors, Vocabulary
from allennlp.modules import Backbone

from tests.helpers.registry import our_types

DIM, WORDS = 4, 6
EMBEDDER = {
    "token_embedders": {
        "tokens": {"type": "embedding", "embedding_dim": DIM, "num_embeddings": WORDS}
    }
}


class BackboneCase(NamedTuple):
    """How to build one backbone, and the text fields that it takes."""

    config: Dict[str, object]
    text_fields: Dict[str, int]
    """The number of tokens of each text field."""


BACKBONES: Dict[str, BackboneCase] = {
    "text": BackboneCase({"text_field_embedder": EMBEDDER}, {"text": 3}),
    "text_pair": BackboneCase(
        {
            "text_field_embedder": EMBEDDER,
            "seq2vec_encoder": {"type": "boe", "embedding_dim": DIM, "averaged": True},
        },
        {"text": 3, "text_pair": 2},
    ),
}


@pytest.fixture(params=sorted(BACKBONES))
def type_name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def backbone(type_name: str) -> Backbone:
    config = copy.deepcopy(BACKBONES[type_name].config)
    params = Params({"type": type_name, **config})
    return Backbone.from_params(params, vocab=Vocabulary()).eval()


@pytest.fixture
def inputs(type_name: str) -> Dict[str, TextFieldTensors]:
    return {
        name: {"tokens": {"tokens": torch.randint(1, WORDS, (2, tokens))}}
        for name, tokens in BACKBONES[type_name].text_fields.items()
    }


def test_every_registered_backbone_of_this_package_has_a_row() -> None:
    assert our_types(Backbone) == sorted(BACKBONES)


def test_outputs_have_one_row_per_instance(
    backbone: Backbone, inputs: Dict[str, TextFieldTensors]
) -> None:
    assert {len(value) for value in backbone(**inputs).values()} == {2}


def test_padding_changes_no_encoding(
    backbone: Backbone, inputs: Dict[str, TextFieldTensors]
) -> None:
    padded = {
        name: {"tokens": {"tokens": torch.nn.functional.pad(text["tokens"]["tokens"], (0, 2))}}
        for name, text in inputs.items()
    }
    with torch.no_grad():
        alone, with_padding = backbone(**inputs), backbone(**padded)
    for name, value in alone.items():
        assert torch.allclose(value, with_padding[name][:, : value.size(1)])


def test_inputs_are_not_changed(backbone: Backbone, inputs: Dict[str, TextFieldTensors]) -> None:
    before = copy.deepcopy(inputs)
    backbone(**inputs)
    for name, text in inputs.items():
        assert torch.equal(text["tokens"]["tokens"], before[name]["tokens"]["tokens"])


def test_every_parameter_gets_a_gradient(
    backbone: Backbone, inputs: Dict[str, TextFieldTensors]
) -> None:
    outputs = backbone(**inputs).values()
    sum(value.sum() for value in outputs if value.requires_grad).backward()
    assert all(parameter.grad is not None for parameter in backbone.parameters())
