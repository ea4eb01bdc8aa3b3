"""The patch of how AllenNLP imports the modules of a package."""

import gc
import importlib
import pkgutil
from typing import Callable, Optional, Set

from multitask_model.compat.patching import patch

OURS = "multitask_model."


def import_own_modules_at_once() -> None:
    """
    With `--include-package multitask_model`, AllenNLP imports every module of this package. Before
    each of them it lets Python forget the content of all folders, and looks for a package
    `checklist`. Both take longer than the import. The modules of this package are imported without
    that, and those of other packages as before.

    AllenNLP's commands do this when they start. What exists by then, mostly modules, their
    functions and classes, stays until the process ends, so Python's garbage collector is told not
    to search it again. The collections at the end of the process took longer than a prediction.
    """
    from allennlp.common import util

    @patch(util, "import_module_and_submodules")
    def _import_module_and_submodules(
        original: Callable[..., None], package_name: str, exclude: Optional[Set[str]] = None
    ) -> None:
        if package_name.startswith(OURS):
            _import_all(package_name)
            gc.freeze()
        else:
            original(package_name, exclude)


def _import_all(name: str) -> None:
    module = importlib.import_module(name)
    for info in pkgutil.iter_modules(getattr(module, "__path__", []), f"{name}."):
        _import_all(info.name)
