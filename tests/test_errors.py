"""The parts of error messages."""

from typing import Any

import pytest
from allennlp.common.checks import ConfigurationError

from multitask_model.errors import (
    check_choice,
    check_known,
    format_names,
    format_value,
    suggest,
    suggest_rename,
)
from tests.helpers.messages import exactly


def test_names_are_formatted_as_a_list() -> None:
    assert format_names(["b", "a"]) == "['b', 'a']"
    assert format_names([]) == "[]"


def test_at_most_20_names_are_shown() -> None:
    names = [f"n{i}" for i in range(21)]
    assert format_names(names[:20]) == str(names[:20])
    assert format_names(names) == f"{str(names[:20])[:-1]}, and 1 more]"


def test_long_values_are_truncated() -> None:
    assert format_value("short") == "'short'"
    assert format_value("x" * 100) == f"'{'x' * 79}..."
    assert format_value([1, 2]) == "[1, 2] (2 items)"


def test_the_closest_known_name_is_suggested() -> None:
    assert suggest("polarty", ["source", "polarity"]) == " Did you mean 'polarity'?"
    assert suggest("polarty", ["source"]) == ""


def test_the_closest_given_name_may_be_the_missing_one() -> None:
    assert suggest_rename("text", ["txt", "stars"]) == " Is 'txt' meant to be 'text'?"
    assert suggest_rename("text", ["stars"]) == ""


def test_an_unknown_name_is_an_error() -> None:
    check_known("task_heads", "a head", ["upos"], ["upos", "genre"])
    message = (
        "task_heads must name a head, but got 'upso'. Did you mean 'upos'? "
        "Known names: ['upos', 'genre']."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        check_known("task_heads", "a head", ["genre", "upso"], ["upos", "genre"])


@pytest.mark.parametrize("value", ["mean", None, 3])
def test_a_value_that_is_not_a_choice_is_an_error(value: Any) -> None:
    check_choice("loss_reduction", "heads", ("heads", "instances"))
    message = f"loss_reduction must be 'heads' or 'instances', but got {value!r}."
    with pytest.raises(ConfigurationError, match=exactly(message)):
        check_choice("loss_reduction", value, ("heads", "instances"))
