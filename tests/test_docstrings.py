"""The examples in the docstrings of the package run and print what they say."""

import doctest
import importlib
import pkgutil
from types import ModuleType
from typing import List

import pytest

import multitask_model


def modules() -> List[ModuleType]:
    found = pkgutil.walk_packages(multitask_model.__path__, "multitask_model.")
    return [multitask_model, *(importlib.import_module(module.name) for module in found)]


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.__name__)
def test_examples(module: ModuleType) -> None:
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0
