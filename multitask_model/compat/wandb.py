"""Patches for current releases of wandb."""

import secrets
from string import ascii_lowercase, digits
from typing import Callable

from multitask_model.compat.patching import patch


def provide_generate_id() -> None:
    """
    Current releases of wandb have no function `wandb.util.generate_id`, which AllenNLP's callback
    `wandb` calls at the start of a training ("module 'wandb.util' has no attribute 'generate_id'").
    It is provided then and not earlier, because few trainings need the import of wandb.
    """
    from allennlp.training.callbacks import WandBCallback

    @patch(WandBCallback, "on_start")
    def _on_start(original: Callable[..., None], *args: object, **kwargs: object) -> None:
        import wandb.util

        if not hasattr(wandb.util, "generate_id"):
            vars(wandb.util)["generate_id"] = generate_id
        original(*args, **kwargs)


def generate_id() -> str:
    """
    The id of a run, in W&B's format. It does not depend on the seed of the training, because every
    run with this seed would have the same id.
    """
    return "".join(secrets.choice(ascii_lowercase + digits) for _ in range(8))
