"""
What AllenNLP 2.10.1, its last release, needs on a current Python, PyTorch and transformers. Each
mend says what breaks and why, does nothing where nothing is broken, and nothing when called again.
AllenNLP is imported inside the functions only, so that `require_allennlp` can speak first.
"""

import functools
import inspect
from types import SimpleNamespace
from typing import Any, Callable, List

_INSTALL = "pip install --no-deps allennlp==2.10.1 fairscale==0.4.6"


def require_allennlp() -> None:
    """
    Raises an `ImportError` with the line that installs AllenNLP, or fairscale, which it imports, if
    it is not installed. Any other error, another missing module included, is raised as it is.
    """
    try:
        import allennlp  # noqa: F401
        import fairscale  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name not in ("allennlp", "fairscale"):
            raise
        raise ImportError(
            f"multitask_model needs AllenNLP 2.10.1 and fairscale 0.4.6, but {error.name!r} is not "
            f"installed. Install both, without their outdated requirements, by:\n{_INSTALL}"
        ) from error


def apply() -> None:
    """Applies every mend, also in the processes that AllenNLP starts, as it imports us there."""
    accept_verbose_in_reduce_on_plateau()
    load_tokenizers_without_add_special_tokens()
    allow_numpy_scalars_in_checkpoints()
    take_worker_locks_from_own_context()
    ignore_position_ids_of_old_archives()


def _around(owner: Any, name: str) -> Callable[[Callable], None]:
    """Puts the decorated function in the place of `owner.name`, which it gets as first argument."""
    original = getattr(owner, name)

    def decorate(replacement: Callable) -> None:
        @functools.wraps(original)
        def mended(*args: Any, **kwargs: Any) -> Any:
            return replacement(original, *args, **kwargs)

        if not hasattr(original, "_mended_by_multitask_model"):
            vars(mended)["_mended_by_multitask_model"] = True
            setattr(owner, name, mended)

    return decorate


def accept_verbose_in_reduce_on_plateau() -> None:
    """
    PyTorch removed `verbose`, which only printed, from `ReduceLROnPlateau`; AllenNLP always passes
    it on, so its `reduce_on_plateau` could not be built. Configs may hold it: it is dropped here.
    """
    from allennlp.training.learning_rate_schedulers import ReduceOnPlateauLearningRateScheduler
    from torch.optim.lr_scheduler import ReduceLROnPlateau

    if "verbose" not in inspect.signature(ReduceLROnPlateau).parameters:

        @_around(ReduceOnPlateauLearningRateScheduler, "__init__")
        def _init(original: Callable, *args: Any, **kwargs: Any) -> None:
            bound = inspect.signature(original).bind(*args, **kwargs)
            bound.apply_defaults()
            settings = {k: v for k, v in bound.arguments.items() if k not in ("self", "verbose")}
            inner = ReduceLROnPlateau(**settings)
            super(ReduceOnPlateauLearningRateScheduler, args[0]).__init__(inner)


def load_tokenizers_without_add_special_tokens() -> None:
    """
    transformers refuses an init argument with the name of a method; `add_special_tokens` is one.
    AllenNLP's `pretrained_transformer` tokenizer passes it where it loads a tokenizer. It never had
    an effect there: what counts is the argument of that name in each call of `encode_plus`.
    """
    from allennlp.common import cached_transformers
    from transformers import PreTrainedTokenizerBase

    try:
        PreTrainedTokenizerBase(add_special_tokens=False)
    except (AttributeError, TypeError):

        @_around(cached_transformers, "get_tokenizer")
        def _get_tokenizer(original: Callable, model_name: str, **kwargs: Any) -> Any:
            kwargs.pop("add_special_tokens", None)
            return original(model_name, **kwargs)


def allow_numpy_scalars_in_checkpoints() -> None:
    """
    From 2.6 on, `torch.load` refuses types not known to be safe. AllenNLP's `cosine` scheduler puts
    numpy scalars into the training state, so that `--recover` could not load it. Numpy's numbers,
    as numpy 1 and 2 name them, are allowed here and nothing else; `weights_only` stays on.
    """
    import numpy
    import torch

    if hasattr(torch.serialization, "add_safe_globals"):
        rebuild = numpy.float64(0).__reduce__()[0]  # asked for: numpy moved it between releases
        names = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
        codes = "?" + numpy.typecodes["AllInteger"] + numpy.typecodes["AllFloat"]
        types: List[Any] = [numpy.dtype, *{type(numpy.dtype(code)) for code in codes}]
        torch.serialization.add_safe_globals(types + [(rebuild, name) for name in names])


def take_worker_locks_from_own_context() -> None:
    """
    `MultiProcessDataLoader` hands spawned workers a lock made for forked ones. From Python 3.11.5
    on that is an error; before, a worker that took it crashed and the loader waited for ever.
    """
    from allennlp.common.tqdm import Tqdm
    from allennlp.data.data_loaders import MultiProcessDataLoader

    def _start_workers(original: Callable, loader: Any, queue: Any, ctx: Any) -> Any:
        lock = ctx.RLock()

        def process(args: Any, **rest: Any) -> Any:
            return ctx.Process(args=[lock if a is Tqdm.get_lock() else a for a in args], **rest)

        started = original(loader, queue, SimpleNamespace(Pipe=ctx.Pipe, Process=process))
        Tqdm.set_lock(lock)
        return started

    for name in ("_start_instance_workers", "_start_batch_workers"):
        _around(MultiProcessDataLoader, name)(_start_workers)


def ignore_position_ids_of_old_archives() -> None:
    """
    Up to 4.30, transformers saved its constant `position_ids` buffers with the weights. It does not
    now, and AllenNLP refuses an archive that holds them ("Unexpected keys"). Such a key is ignored
    if the module that it names makes that buffer itself and does not save it, and only then.
    """
    from allennlp.nn.module import Module

    @_around(Module, "_post_load_state_dict")
    def _post_load_state_dict(original: Callable, module: Any, missing: Any, found: Any) -> Any:
        return original(
            module, missing, [key for key in found if not is_position_ids_buffer(module, key)]
        )


def is_position_ids_buffer(module: Any, key: str) -> bool:
    owner, _, name = key.rpartition(".")
    buffers = getattr(dict(module.named_modules()).get(owner), "_non_persistent_buffers_set", ())
    return name == "position_ids" and name in buffers
