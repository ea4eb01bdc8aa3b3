"""The examples in the docstrings of the package run and print what they say."""

import doctest
import importlib
import inspect
import pkgutil
import re
from types import FunctionType, ModuleType
from typing import Any, Iterator, List, Tuple

import pytest

import multitask_model
import multitask_model.backbones
import multitask_model.data.samplers
import multitask_model.data.schedulers
import multitask_model.heads
import multitask_model.training.metrics
import multitask_model.weighting

STARTS_PROCESSES = ["multitask_model.data.data_loaders.reading_processes"]

WITHOUT_EXAMPLE = [
    # Abstract: their subclasses have examples.
    "ForwardsProcessInfo",
    "Stream",
    "WrappedReader",
    # Records of two or three values, in the examples of the classes that make them: `RowFormat`,
    # `SentenceLabels` and `ColumnPositions`.
    "ColumnSentence",
    "LabeledSentence",
    "NamedCells",
    "Row",
    # Records of two to four values that need an error in a worker process, a dataset that changes
    # from pass to pass, and the optional library `datasets`.
    "Failure",
    "PassRef",
    "Source",
    # Made in connected processes only, or by the checks of a constructor.
    "JoinedLosses",
    "ConstructionError",
    # Types of plain dictionaries, which are made without naming the type.
    "EpochsState",
    "LoaderState",
    "ReadingOptions",
]
"""The only public classes without an example. Exception classes need none."""


def modules() -> List[ModuleType]:
    found = pkgutil.walk_packages(multitask_model.__path__, "multitask_model.")
    return [multitask_model, *(importlib.import_module(module.name) for module in found)]


MODULES = [
    pytest.param(
        module,
        id=module.__name__,
        marks=[pytest.mark.slow] if module.__name__ in STARTS_PROCESSES else [],
    )
    for module in modules()
]


@pytest.mark.parametrize("module", MODULES)
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


def public_classes() -> List[type]:
    """
    The classes of all modules, in the module that defines them; without those of the command, whose
    examples are the commands in docs/command.md, which the tests run.
    """
    return [
        value
        for module in modules()
        if not module.__name__.startswith("multitask_model.commands")
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__ and name[0] != "_"
    ]


def test_every_public_class_has_an_example() -> None:
    without = {
        c.__name__
        for c in public_classes()
        if ">>>" not in str(c.__doc__) and not issubclass(c, Exception)
    }
    assert without.symmetric_difference(WITHOUT_EXAMPLE) == set()


def documented() -> Iterator[Tuple[str, str, inspect.Signature]]:
    """Public classes and their methods that have a list of parameters."""
    for owner in public_classes():
        functions = [member for member in vars(owner).values() if isinstance(member, FunctionType)]
        values: List[Any] = [owner, *functions]
        for value in values:
            if "# Parameters\n" in str(value.__doc__):
                yield value.__qualname__, inspect.cleandoc(str(value.__doc__)), signature_of(value)


def signature_of(value: Any) -> inspect.Signature:
    # A class that is registered in place of another one may have its `__new__`.
    if isinstance(value, type) and not issubclass(value, tuple):
        return inspect.signature(value.__init__)
    return inspect.signature(value)


def test_the_documented_parameters_exist() -> None:
    unknown = []
    for name, docstring, signature in documented():
        takes_any = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
        section = re.split(r"^# ", docstring, flags=re.M)
        (listed,) = (part for part in section if part.startswith("Parameters\n"))
        names = re.findall(r"^\*{0,2}(\w+) : ", listed, re.M)
        if not takes_any:
            unknown += [f"{name}: {n}" for n in names if n not in signature.parameters]
    assert unknown == []
