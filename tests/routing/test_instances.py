"""Instances that can be encoded together, and the outputs of each instance."""

from typing import Any

import numpy
import pytest
import torch
from allennlp.data import Token
from allennlp.data.fields import MetadataField, TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer, TokenCharactersIndexer

from multitask_model.routing.instances import MISSING, SeparatedOutputs, input_kind, separate
from multitask_model.routing.output_names import OutputNames
from multitask_model.routing.partial import Partial
from multitask_model.routing.rows import AllRows, select_rows


@pytest.mark.parametrize(
    ("value", "count", "expected"),
    [
        (torch.tensor([1, 2]), 2, [1, 2]),
        (torch.tensor([1, 2]), 3, None),
        (torch.tensor(5), 1, None),
        (numpy.array(5), 1, None),
        (numpy.array([5]), 1, [5]),
        (torch.tensor([1.5, 2], dtype=torch.bfloat16), 2, [1.5, 2.0]),
        (["x", "y"], 2, ["x", "y"]),
        ("xy", 2, None),
        ({"x": 1, "y": 2}, 2, None),
        (None, 1, None),
        (3, 1, None),
        (Partial(torch.tensor([7]), (1,)), 3, [MISSING, 7, MISSING]),
        (Partial(torch.tensor(7), (1,)), 3, None),
    ],
)
def test_an_output_with_one_row_per_instance_is_separated(
    value: Any, count: int, expected: Any
) -> None:
    assert separate(value, count) == expected


def text_field(indexer: Any) -> TextField:
    return TextField([Token("w1")], {"tokens": indexer})


def test_fields_of_the_same_types_are_of_one_kind() -> None:
    single = text_field(SingleIdTokenIndexer())
    assert input_kind({"text": single}) == input_kind({"text": text_field(SingleIdTokenIndexer())})
    assert input_kind({"text": single}) != input_kind({"question": single})
    assert input_kind({"text": single}) != input_kind({"text": MetadataField("w1")})
    assert input_kind({"text": single}) != input_kind(
        {"text": text_field(TokenCharactersIndexer(min_padding_length=1))}
    )


def test_each_instance_gets_the_outputs_of_the_backbone_and_of_its_heads() -> None:
    names = OutputNames(["a", "b"])
    outputs = {"x": torch.tensor([1, 2, 3]), "a_y": ["p", "q"], "b_z": Partial([8], (0,))}
    rows = {"a": select_rows([0, 2], 3), "b": AllRows(3)}
    separated = SeparatedOutputs(outputs, names, rows, 3)
    assert separated.instances == [{"x": 1, "a_y": "p", "b_z": 8}, {"x": 2}, {"x": 3, "a_y": "q"}]
    assert separated.inseparable == []


def test_outputs_without_rows_are_inseparable() -> None:
    outputs = {"x": [1, 2], "size": 7}
    separated = SeparatedOutputs(outputs, OutputNames(["a"]), {"a": AllRows(2)}, 2)
    assert separated.instances == [{"x": 1}, {"x": 2}]
    assert separated.inseparable == ["size"]


def test_losses_are_no_outputs_that_an_instance_should_have() -> None:
    names, loss = OutputNames(["a"]), torch.tensor(1.0)
    names.name("a", "loss")
    outputs = {"a_loss": loss, "loss": loss, "backbone_loss": loss}
    separated = SeparatedOutputs(outputs, names, {"a": AllRows(2)}, 2)
    assert separated.instances == [{}, {}]
    assert separated.inseparable == []


def test_a_single_instance_has_a_loss() -> None:
    outputs = {"loss": torch.tensor(1.5)}
    separated = SeparatedOutputs(outputs, OutputNames(["a"]), {"a": AllRows(1)}, 1)
    assert separated.instances == [{"loss": 1.5}]
