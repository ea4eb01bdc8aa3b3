"""Patches for current releases of PyTorch."""

import inspect
from typing import Any, Callable, List

from multitask_model.compat.patching import patch


def accept_verbose_in_reduce_on_plateau() -> None:
    """
    PyTorch removed the argument `verbose`, which only printed, from `ReduceLROnPlateau`. AllenNLP
    always passes it, so its `reduce_on_plateau` scheduler could not be built. Configs may have it,
    so it is accepted and ignored.
    """
    from allennlp.training.learning_rate_schedulers import ReduceOnPlateauLearningRateScheduler
    from torch.optim.lr_scheduler import ReduceLROnPlateau

    if "verbose" not in inspect.signature(ReduceLROnPlateau).parameters:

        @patch(ReduceOnPlateauLearningRateScheduler, "__init__")
        def _init(original: Callable[..., None], *args: Any, **kwargs: Any) -> None:
            bound = inspect.signature(original).bind(*args, **kwargs)
            bound.apply_defaults()
            settings = {k: v for k, v in bound.arguments.items() if k not in ("self", "verbose")}
            inner = ReduceLROnPlateau(**settings)
            super(ReduceOnPlateauLearningRateScheduler, args[0]).__init__(inner)


def allow_numpy_scalars_in_checkpoints() -> None:
    """
    From 2.6 on, `torch.load` refuses types that are not known to be safe. AllenNLP's `cosine`
    scheduler stores numpy scalars in the training state, so `--recover` could not load it. Only the
    number types of numpy, under their names in numpy 1 and 2, are allowed; `weights_only` stays on.
    """
    import numpy
    import torch

    if hasattr(torch.serialization, "add_safe_globals"):
        rebuild = numpy.float64(0).__reduce__()[0]  # numpy moved this function between releases
        names = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
        codes = "?" + numpy.typecodes["AllInteger"] + numpy.typecodes["AllFloat"]
        types: List[Any] = [numpy.dtype, *{type(numpy.dtype(code)) for code in codes}]
        torch.serialization.add_safe_globals(types + [(rebuild, name) for name in names])
