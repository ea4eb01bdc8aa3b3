"""
Makes AllenNLP's commands search for modules once. Each of them imports all modules of `allennlp`
and of the included packages. Before each module, AllenNLP lets Python forget the content of all
folders, and looks for a package `checklist`. That takes seconds, even if all modules are imported.

`tests/helpers/fork_server.py` runs this file as a script, so it imports nothing from `tests`.
"""

import importlib
import importlib.util
import sys
import types
from typing import Any, Optional, Set

_COMPLETE: Set[str] = set()


def search_once() -> None:
    """Replaces AllenNLP's function in all modules that have imported it."""
    from allennlp import commands
    from allennlp.common import plugins, util

    original = util.import_module_and_submodules

    def import_module_and_submodules(name: str, exclude: Optional[Set[str]] = None) -> None:
        if "." not in name:  # not a submodule
            importlib.invalidate_caches()
        if name not in _COMPLETE:
            original(name, exclude)
        if name in ("allennlp", "multitask_model"):
            _COMPLETE.add(name)

    found: Any = (commands, plugins, util)
    for module in found:
        module.import_module_and_submodules = import_module_and_submodules
    forgets_nothing: Any = types.ModuleType("importlib")
    forgets_nothing.import_module = importlib.import_module
    forgets_nothing.invalidate_caches = lambda: None
    util.importlib = forgets_nothing
    if importlib.util.find_spec("checklist") is None:
        sys.modules["checklist"] = None  # type: ignore[assignment]


def import_allennlp() -> None:
    """Imports what all commands import, without plugins."""
    util: Any = importlib.import_module("allennlp.common.util")
    exclude = {"allennlp.sanity_checks", "allennlp.tools"}  # as in AllenNLP's import_plugins
    util.import_module_and_submodules("allennlp", exclude)
