"""Numbers that a weighting keeps for each head."""

from typing import List

import pytest
import torch

from multitask_model.weighting import HeadValues


def make(*heads: str, learned: bool = False) -> HeadValues:
    values = HeadValues({"scale": 2.0, "count": 0.0}, learned=learned)
    values.set_heads(heads)
    return values


def test_a_new_head_has_the_initial_values() -> None:
    values = make("a", "b")
    assert values.get("scale", ["a", "b"]).tolist() == [2.0, 2.0]
    assert values.get("count", ["b"]).tolist() == [0.0]


def test_values_are_set_and_read_by_the_names_of_heads() -> None:
    values = make("a", "b", "c")
    values.put("scale", ["c", "a"], torch.tensor([3.0, 1.0]))
    values.add("scale", ["b", "c"], torch.tensor([0.5, 0.5]))
    assert values.get("scale", ["a", "b", "c"]).tolist() == [1.0, 2.5, 3.5]


def test_heads_that_were_there_keep_their_values() -> None:
    values = make("a")
    values.put("scale", ["a"], torch.tensor([5.0]))
    values.set_heads(["b", "a"])
    assert values.get("scale", ["a", "b"]).tolist() == [5.0, 2.0]


@pytest.mark.parametrize(("learned", "parameters"), [(True, 4), (False, 0)])
def test_values_are_learned_or_tracked(learned: bool, parameters: int) -> None:
    values = make("a", "b", learned=learned)
    assert len(list(values.parameters())) == parameters
    assert len(list(values.buffers())) == 4 - parameters
    assert values.get("scale", ["a"]).requires_grad is learned


@pytest.mark.parametrize("names", [["scale", "get", "put"], ["by_head", "add"]])
def test_every_name_of_a_head_is_possible(names: List[str]) -> None:
    assert make(*names).get("scale", names).tolist() == [2.0] * len(names)
