"""All configuration errors of a model at once."""

from typing import Any, Dict, List

import pytest

from multitask_model.routing.construction_errors import ConstructionErrors
from tests.helpers.models import TinyBackbone, TinyHead, make_vocab


def checked(names: str = "ab", **options: Any) -> ConstructionErrors:
    heads = {name: TinyHead(make_vocab()) for name in names}
    checks = ConstructionErrors(TinyBackbone(), heads, list(heads))
    checks.check(options)
    return checks


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"loss_weights": {"a": 2.0, "backbone": 1.0}},
        {"task_heads": {"ewt": ["a", "b"]}},
        {"arg_name_mapping": {"a": {"polarity": "label"}}},
        {"allowed_arguments": {"backbone": ["text"]}},
        {"copy_inputs": ["b"]},
    ],
)
def test_right_options_have_no_errors(options: Dict[str, Any]) -> None:
    assert checked(**options).found == []


@pytest.mark.parametrize(
    ("options", "components"),
    [
        ({"loss_weights": {"c": 2.0, "d": 1.0}}, [None, None]),
        ({"task_heads": {"ewt": ["c", "d"], "gum": "a", "pud": []}}, [None] * 4),
        ({"arg_name_mapping": {"a": {"x": "y", "z": "w"}, "b": {"x": "y"}}}, ["a", "a", "b"]),
        ({"allowed_arguments": {"backbone": ["text", "x", "y"]}}, ["backbone", "backbone"]),
        ({"copy_inputs": ["c"], "allowed_arguments": {"a": ["x"]}}, [None, "a"]),
    ],
)
def test_each_wrong_name_is_an_error(options: Dict[str, Any], components: List[str]) -> None:
    assert [error.component for error in checked(**options).found] == components


def test_what_is_wrong_is_left_out_of_the_options() -> None:
    heads = {"a": TinyHead(make_vocab())}
    options = {
        "loss_weights": {"a": 2.0, "c": 1.0},
        "task_heads": {"ewt": ["a", "c"], "gum": ["c"]},
        "arg_name_mapping": {"a": {"x": "label", "y": "z"}},
        "allowed_arguments": {"a": ["label", "z"]},
        "copy_inputs": ["a", "c"],
        "loss_reduction": "heads",
    }
    assert ConstructionErrors(TinyBackbone(), heads, ["a"]).check(options) == {
        "loss_weights": {"a": 2.0},
        "task_heads": {"ewt": ["a"]},
        "arg_name_mapping": {"a": {"x": "label"}},
        "allowed_arguments": {"a": {"label"}},
        "copy_inputs": ["a"],
        "loss_reduction": "heads",
    }
    assert options["copy_inputs"] == ["a", "c"]
    assert options["arg_name_mapping"] == {"a": {"x": "label", "y": "z"}}


def test_the_name_of_a_head_is_checked() -> None:
    heads = {"reg": TinyHead(make_vocab())}
    checks = ConstructionErrors(None, heads, list(heads))
    checks.check({})
    ((component, message),) = checks.found
    assert component == "reg"
    assert message.startswith("The name of a head must be a valid name of a module, but got 'reg'")


def test_a_head_is_checked_against_the_backbone() -> None:
    class Sized(TinyHead):
        def get_input_dim(self) -> int:
            return 7

    class SizedBackbone(TinyBackbone):
        def get_output_dim(self, name: str) -> int:
            return 6

    checks = ConstructionErrors(SizedBackbone(), {"a": Sized(make_vocab())}, ["a"])
    checks.check({})
    assert checks.found[0].message == (
        "The input_dim of the head 'a' must be the size of the backbone's output 'encoded_text', "
        "which is 6, but got 7. Set it to 6."
    )
