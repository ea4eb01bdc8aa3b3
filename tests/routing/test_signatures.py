"""The arguments of `forward`, and unwrapping."""

import functools
import inspect
from pathlib import Path
from typing import Any, Dict

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from fairscale.nn import checkpoint_wrapper

from multitask_model import MultiTaskModel
from multitask_model.routing.signatures import forward_parameters, get_forward_arguments, unwrap
from tests.helpers.messages import exactly
from tests.helpers.models import FixedHead


class Plain(torch.nn.Module):
    def forward(self, text: Any, label: Any = None) -> None: ...


class Linear(torch.nn.Linear):
    def __init__(self) -> None:
        super().__init__(2, 2)

    def forward(self, text: Any) -> Any:
        return super().forward(text)


class Variadic(torch.nn.Module):
    def forward(self, text: Any, *args: Any, **kwargs: Any) -> None: ...


class OnlyKwargs(torch.nn.Module):
    def forward(self, **kwargs: Any) -> None: ...


class Wrapper(torch.nn.Module):
    """Wraps a module as `DistributedDataParallel` and FairScale do."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)


class NotAWrapper(torch.nn.Module):
    """Has an attribute `module`, but `forward` has a named argument."""

    def __init__(self) -> None:
        super().__init__()
        self.module = Plain()

    def forward(self, image: Any) -> None: ...


def test_forward_arguments_are_a_set_of_names() -> None:
    assert get_forward_arguments(Plain()) == {"text", "label"}


def test_variadic_arguments_have_no_names() -> None:
    assert get_forward_arguments(Variadic()) == {"text"}
    assert get_forward_arguments(OnlyKwargs()) == set()


def test_a_wrapper_is_inspected_at_the_module_inside() -> None:
    assert get_forward_arguments(Wrapper(Wrapper(Plain()))) == {"text", "label"}


def test_a_module_with_named_arguments_is_not_unwrapped() -> None:
    assert get_forward_arguments(NotAWrapper()) == {"image"}


def test_data_parallel_is_unwrapped() -> None:
    inner = Plain()
    assert unwrap(torch.nn.DataParallel(inner)) is inner


@pytest.mark.slow
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


def test_a_checkpointed_module_of_fairscale_is_inspected_in_its_class() -> None:
    assert get_forward_arguments(checkpoint_wrapper(Plain())) == {"text", "label"}


def test_a_forward_that_was_replaced_on_the_instance_is_inspected_in_the_class() -> None:
    module = Plain()

    def around(original: Any, *args: Any, **kwargs: Any) -> Any:
        return original(*args, **kwargs)

    vars(module)["forward"] = functools.partial(around, module.forward)
    assert "label" not in inspect.signature(module.forward).parameters
    assert get_forward_arguments(module) == {"text", "label"}


class Scripted(torch.nn.Module):
    def forward(self, text: torch.Tensor, scale: float = 2.0) -> Dict[str, torch.Tensor]:
        return {"encoded": text * scale}


def test_a_scripted_module_has_the_arguments_of_its_schema() -> None:
    module: Any = torch.jit.script(Scripted())
    parameters = forward_parameters(module)
    assert [p.name for p in parameters] == ["text", "scale"]
    assert [p.default for p in parameters] == [inspect.Parameter.empty, 2.0]
    assert unwrap(module) is module


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_a_traced_module_has_the_arguments_that_it_was_traced_with() -> None:
    module: Any = torch.jit.trace(Scripted(), torch.zeros(2), strict=False)
    assert get_forward_arguments(module) == {"text"}


@pytest.mark.parametrize("allowed", [None, {"backbone": {"text"}}])
def test_a_model_runs_with_a_traced_backbone(allowed: Any) -> None:
    traced: Any = torch.jit.trace(Scripted(), torch.zeros(2), strict=False)
    head = FixedHead()
    model = MultiTaskModel(head.vocab, traced, {"a": head}, allowed_arguments=allowed)
    outputs = model(text=torch.ones(1), task=["a"], label=torch.zeros(1))
    assert outputs["encoded"].tolist() == [2.0]
    assert set(head.calls[0]) >= {"encoded", "text", "label"}
    assert model.make_output_human_readable(outputs)["encoded"].tolist() == [2.0]


def test_an_unknown_allowed_argument_of_a_traced_backbone_is_an_error() -> None:
    traced: Any = torch.jit.trace(Scripted(), torch.zeros(2), strict=False)
    head = FixedHead()
    message = (
        "allowed_arguments must name an argument that forward() of 'backbone' takes, but got "
        "'txt'. Did you mean 'text'? Known names: ['text']."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        MultiTaskModel(head.vocab, traced, {"a": head}, allowed_arguments={"backbone": {"txt"}})


def test_a_forward_that_only_the_instance_has_is_inspected_there() -> None:
    module = torch.nn.Module()
    vars(module)["forward"] = lambda *args, **kwargs: None
    assert [p.name for p in forward_parameters(module)] == ["args", "kwargs"]
