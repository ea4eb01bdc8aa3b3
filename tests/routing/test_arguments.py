"""The router of one component."""

from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from multitask_model.routing.arguments import Router
from tests.helpers.messages import exactly


class Plain(torch.nn.Module):
    def forward(self, text: Any, label: Any = None) -> None: ...


class Variadic(torch.nn.Module):
    def forward(self, text: Any, *args: Any, **kwargs: Any) -> None: ...


class OnlyKwargs(torch.nn.Module):
    def forward(self, **kwargs: Any) -> None: ...


def test_values_that_forward_does_not_take_are_left_out() -> None:
    assert Router("a", Plain()).bind(("text", "task")) == {"text": "text"}


def test_mapped_values_are_renamed() -> None:
    router = Router("a", Plain(), {"question": "text"})
    assert router.bind(("question", "label")) == {"text": "question", "label": "label"}


def test_kwargs_take_every_value() -> None:
    assert Router("a", OnlyKwargs(), {"x": "y"}).bind(("x", "z")) == {"y": "x", "z": "z"}
    assert Router("a", Variadic()).bind(("text", "z")) == {"text": "text", "z": "z"}


def test_allowed_arguments_restrict_kwargs() -> None:
    assert Router("a", OnlyKwargs(), None, {"z"}).bind(("x", "z")) == {"z": "z"}


def test_allowed_arguments_may_leave_out_an_optional_argument() -> None:
    assert Router("a", Plain(), None, {"text"}).bind(("text", "label")) == {"text": "text"}


def test_takes_tells_whether_a_value_has_an_argument() -> None:
    router = Router("a", Plain(), {"question": "text"}, {"text"})
    assert router.takes("question")
    assert not router.takes("label")
    assert Router("a", OnlyKwargs()).takes("label")


def test_named_arguments_leave_out_what_only_kwargs_take() -> None:
    router = Router("a", Variadic(), {"question": "text"})
    assert router.named_arguments(("question", "label")) == {"question": "text"}


def test_two_values_for_one_argument_are_an_error() -> None:
    router = Router("backbone", Plain(), {"question": "text", "review": "text"})
    message = (
        "'backbone' got duplicate argument text: an argument takes one value per batch, but "
        "['question', 'review'] all map to it in this batch. Keep these inputs in separate "
        "batches, or change arg_name_mapping."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        router.bind(("question", "review"))


def test_a_missing_required_argument_is_an_error() -> None:
    router = Router("a", Plain(), {"x": "label"})
    message = (
        "'a' requires the argument 'text', but only ['label', 'texts'] are available to it (after "
        "arg_name_mapping). Did you mean 'texts'? Add it in the dataset reader, or map an "
        "available name to it: arg_name_mapping={'a': {NAME: 'text'}}. If it is a label, "
        "give it the default None, because a prediction has none."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        router.bind(("x", "texts"))


def test_a_required_argument_that_is_not_allowed_is_an_error() -> None:
    router = Router("a", Plain(), None, {"label"})
    message = (
        "'a' requires the argument 'text', but only ['text', 'label'] are available to it (after "
        "arg_name_mapping). allowed_arguments leaves out ['text']: add what is required to it."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        router.bind(("text", "label"))


def test_a_mapping_to_an_unknown_argument_is_an_error() -> None:
    message = (
        "arg_name_mapping must name an argument that forward() of 'a' takes, but got 'texxt'. "
        "Did you mean 'text'? Known names: ['text', 'label']."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        Router("a", Plain(), {"question": "texxt"})


def test_an_unknown_allowed_argument_is_an_error() -> None:
    message = (
        "allowed_arguments must name an argument that forward() of 'a' takes, but got 'labels'. "
        "Did you mean 'label'? Known names: ['text', 'label']."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        Router("a", Plain(), None, {"text", "labels"})


def test_long_lists_of_names_are_truncated() -> None:
    with pytest.raises(ValueError, match=r"'n19', and 5 more\]"):
        Router("a", Plain()).bind(tuple(f"n{i}" for i in range(25)))
