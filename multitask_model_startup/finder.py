"""The code of `startup.pth`. It is not imported: see the package."""

import os
import sys


class BeforeAllennlp:
    """A finder that finds nothing. All of AllenNLP imports `allennlp.common`."""

    @classmethod
    def find_spec(cls, name: str, path: object = None, target: object = None) -> None:
        if name == "allennlp.common":
            # Assigned and not changed, because the import system is iterating over this list.
            sys.meta_path = [finder for finder in sys.meta_path if finder is not cls]
            try:
                import multitask_model_startup
            except ImportError:  # it was uninstalled, but not the file
                return
            multitask_model_startup.apply_patches()


if sys.version_info >= (3, 11) and os.environ.get("MULTITASK_MODEL_STARTUP") != "0":
    sys.meta_path.insert(0, BeforeAllennlp)
