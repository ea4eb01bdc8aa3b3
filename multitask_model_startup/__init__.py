"""
Patches that must be in place before AllenNLP is imported, whoever imports it first: the `allennlp`
command, a notebook or a spawned worker process.

`multitask_model_startup.pth`, which is installed in site-packages, calls `install` whenever Python
starts. That adds a finder, which applies the patches as soon as a module of AllenNLP that needs
them is imported. The environment variable `MULTITASK_MODEL_STARTUP=0` switches it off. Importing
`multitask_model` applies the patches too.

They are not in `multitask_model/compat`, because importing anything of `multitask_model` imports
AllenNLP and registers this project's classes. This package imports neither.
"""

import os
import sys


class BeforeAllennlp:
    """A finder that finds nothing. It applies the patches once and removes itself."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Called for each module that is not loaded yet. All of AllenNLP uses `allennlp.common`."""
        if name == "allennlp.common":
            # Assigned and not changed, because the import system is iterating over this list.
            sys.meta_path = [finder for finder in sys.meta_path if finder is not self]
            apply_patches()


def install() -> None:
    """Adds the finder. Python 3.9 and 3.10 have AllenNLP's own requirements and need no patches."""
    if sys.version_info >= (3, 11) and os.environ.get("MULTITASK_MODEL_STARTUP") != "0":
        sys.meta_path.insert(0, BeforeAllennlp())


def apply_patches() -> None:
    """Applies the patches. Does nothing for names that exist."""
    from multitask_model_startup import huggingface_hub, transformers

    huggingface_hub.provide_removed_classes()
    transformers.provide_adamw()
    transformers.provide_encode_plus()
    transformers.provide_build_inputs_with_special_tokens()
