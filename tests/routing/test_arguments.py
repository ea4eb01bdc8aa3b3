"""`get_forward_arguments`, unwrapping, and the router of one component."""

import functools
import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from fairscale.nn import checkpoint_wrapper

from multitask_model import get_forward_arguments
from multitask_model.routing.arguments import Router, available_to_heads, unwrap


class Plain(torch.nn.Module):
    def forward(self, text: Any, label: Any = None) -> None: ...


class Linear(torch.nn.Linear):
    def __init__(self) -> None:
        super().__init__(2, 2)

    def forward(self, text: Any) -> Any:
        return super().forward(text)


class Variadic(torch.nn.Module):
    def forward(self, text: Any, *args: Any, **kwargs: Any) -> None: ...


class Anything(torch.nn.Module):
    def forward(self, **kwargs: Any) -> None: ...


class Wrapper(torch.nn.Module):
    """As `DistributedDataParallel` and the wrappers of fairscale are made."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)


class NotAWrapper(torch.nn.Module):
    """Has a `.module`, but its `forward` says what it takes."""

    def __init__(self) -> None:
        super().__init__()
        self.module = Plain()

    def forward(self, image: Any) -> None: ...


def test_forward_arguments_are_a_set_of_names() -> None:
    assert get_forward_arguments(Plain()) == {"text", "label"}


def test_variadic_arguments_are_not_names() -> None:
    assert get_forward_arguments(Variadic()) == {"text"}
    assert get_forward_arguments(Anything()) == set()


def test_wrapped_modules_are_inspected_at_what_they_wrap() -> None:
    assert get_forward_arguments(Wrapper(Wrapper(Plain()))) == {"text", "label"}


def test_a_module_with_arguments_of_its_own_is_not_unwrapped() -> None:
    assert get_forward_arguments(NotAWrapper()) == {"image"}


def test_data_parallel_is_unwrapped() -> None:
    inner = Plain()
    assert unwrap(torch.nn.DataParallel(inner)) is inner


@pytest.mark.skipif(not hasattr(torch, "compile"), reason="torch.compile came with torch 2")
def test_compiled_modules_are_unwrapped() -> None:
    inner = Plain()
    compiled: Any = torch.compile(inner)
    assert unwrap(compiled) is inner
    assert get_forward_arguments(compiled) == {"text", "label"}


def test_distributed_data_parallel_is_unwrapped(tmp_path: Path) -> None:
    store = f"file://{tmp_path / 'store'}"
    torch.distributed.init_process_group("gloo", init_method=store, rank=0, world_size=1)
    try:
        inner = Linear()
        wrapped = torch.nn.parallel.DistributedDataParallel(inner)
        assert unwrap(wrapped) is inner
        assert get_forward_arguments(wrapped) == {"text"}
    finally:
        torch.distributed.destroy_process_group()


def test_checkpointed_modules_of_fairscale() -> None:
    assert get_forward_arguments(checkpoint_wrapper(Plain())) == {"text", "label"}


def test_a_forward_replaced_on_the_instance_is_inspected_in_the_class() -> None:
    module = Plain()

    def around(original: Any, *args: Any, **kwargs: Any) -> Any:
        return original(*args, **kwargs)

    vars(module)["forward"] = functools.partial(around, module.forward)
    assert "label" not in inspect.signature(module.forward).parameters
    assert get_forward_arguments(module) == {"text", "label"}


def test_plan_leaves_out_what_forward_does_not_take() -> None:
    assert Router("a", Plain()).bind(("text", "task")) == {"text": "text"}


def test_plan_renames() -> None:
    router = Router("a", Plain(), {"question": "text"})
    assert router.bind(("question", "label")) == {"text": "question", "label": "label"}


def test_kwargs_take_everything() -> None:
    assert Router("a", Anything(), {"x": "y"}).bind(("x", "z")) == {"y": "x", "z": "z"}
    assert Router("a", Variadic()).bind(("text", "z")) == {"text": "text", "z": "z"}


def test_allowed_arguments_hold_even_for_kwargs() -> None:
    assert Router("a", Anything(), None, {"z"}).bind(("x", "z")) == {"z": "z"}


def test_allowed_arguments_leave_out_an_optional_argument() -> None:
    assert Router("a", Plain(), None, {"text"}).bind(("text", "label")) == {"text": "text"}


def test_duplicate_argument() -> None:
    router = Router("backbone", Plain(), {"question": "text", "review": "text"})
    expected = (
        r"'backbone' got duplicate argument text: each argument takes one value per batch, but "
        r"this batch has \['question', 'review'\], which all lead to it\. Keep these inputs in "
        r"separate batches, or change arg_name_mapping\."
    )
    with pytest.raises(ValueError, match=expected):
        router.bind(("question", "review"))


def test_missing_required_argument() -> None:
    router = Router("a", Plain(), {"x": "label"})
    expected = (
        r"'a' requires the argument 'text', but what is available to it \(after arg_name_mapping\) "
        r"is \['label', 'texts'\]\. Did you mean 'texts'\? Add it in the dataset reader, or lead "
        r"an available name to it with arg_name_mapping=\{'a': \{NAME: 'text'\}\}\."
    )
    with pytest.raises(ValueError, match=expected):
        router.bind(("x", "texts"))


def test_required_argument_that_is_not_allowed() -> None:
    router = Router("a", Plain(), None, {"label"})
    with pytest.raises(ValueError, match=r"allowed_arguments leaves out \['text'\]: add what is"):
        router.bind(("text", "label"))


def test_mapping_to_an_argument_that_is_not_there() -> None:
    expected = (
        r"arg_name_mapping must name an argument that forward\(\) of 'a' takes, but got "
        r"'texxt'\. Did you mean 'text'\? Known names: \['text', 'label'\]\."
    )
    with pytest.raises(ConfigurationError, match=expected):
        Router("a", Plain(), {"question": "texxt"})


def test_allowed_argument_that_is_not_there() -> None:
    expected = r"allowed_arguments must name an argument that forward\(\) of 'a' .* got 'labels'"
    with pytest.raises(ConfigurationError, match=expected):
        Router("a", Plain(), None, {"text", "labels"})


def test_long_lists_of_names_are_cut_short() -> None:
    with pytest.raises(ValueError, match=r"'n19', and 5 more\]"):
        Router("a", Plain()).bind(tuple(f"n{i}" for i in range(25)))


def test_inputs_and_backbone_outputs_are_both_available() -> None:
    assert available_to_heads({"a": 1}, {"b": 2}) == {"a": 1, "b": 2}


def test_an_input_may_not_hide_a_backbone_output() -> None:
    expected = r"'x' is an input of the batch and also an output of the backbone.*Rename the field"
    with pytest.raises(ValueError, match=expected):
        available_to_heads({"x": [1]}, {"x": [2]})


def test_a_backbone_may_return_its_input() -> None:
    value = [1]
    assert available_to_heads({"x": value}, {"x": value}) == {"x": value}
