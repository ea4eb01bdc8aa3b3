"""The examples in the docstrings of the package run and print what they say."""

import doctest
import importlib
import pkgutil
from types import ModuleType
from typing import List

import pytest

import multitask_model
import multitask_model.backbones
import multitask_model.data.samplers
import multitask_model.data.schedulers
import multitask_model.heads
import multitask_model.training.metrics
import multitask_model.weighting


def modules() -> List[ModuleType]:
    found = pkgutil.walk_packages(multitask_model.__path__, "multitask_model.")
    return [multitask_model, *(importlib.import_module(module.name) for module in found)]


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.__name__)
def test_examples(module: ModuleType) -> None:
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0


PUBLIC = [
    multitask_model,
    multitask_model.backbones,
    multitask_model.data.samplers,
    multitask_model.data.schedulers,
    multitask_model.heads,
    multitask_model.training.metrics,
    multitask_model.weighting,
]


@pytest.mark.parametrize("module", PUBLIC, ids=lambda module: module.__name__)
def test_every_exported_class_and_function_has_an_example(module: ModuleType) -> None:
    exported = {name: getattr(module, name) for name in module.__all__}
    documented = {n: o for n, o in exported.items() if not isinstance(o, ModuleType)}
    assert [n for n, o in documented.items() if ">>>" not in str(o.__doc__)] == []
