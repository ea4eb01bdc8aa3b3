"""The error for a missing AllenNLP. Nothing here imports it before the check."""

import importlib
import warnings

import multitask_model_startup

INSTALL = "pip install --no-deps allennlp==2.10.1 fairscale==0.4.6"


def require_allennlp() -> None:
    """
    Checks that AllenNLP, and FairScale, which it imports, are installed.

    # Raises

    `ImportError`
        If one of the two is missing. The message has the command that installs both. Any other
        error of importing them, such as another missing module, is raised unchanged.
    """
    try:
        # FairScale and AllenNLP's other requirements warn of what they use of current releases.
        # Nobody who runs a command can change that.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            import allennlp  # noqa: F401
            import fairscale  # noqa: F401

            multitask_model_startup.apply_patches()
            importlib.import_module("allennlp.models")
    except ModuleNotFoundError as error:
        if error.name not in ("allennlp", "fairscale"):
            raise
        raise ImportError(
            f"multitask_model requires AllenNLP 2.10.1 and fairscale 0.4.6, but {error.name!r} is "
            f"not "
            f"installed. Install both, without their outdated requirements, by:\n{INSTALL}"
        ) from error
