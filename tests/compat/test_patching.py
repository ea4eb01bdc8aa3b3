"""Replacing functions of other libraries."""

from typing import Any, Callable, List

import torch
from allennlp.common import cached_transformers
from allennlp.data.data_loaders import MultiProcessDataLoader
from allennlp.nn.module import Module
from allennlp.training.callbacks import WandBCallback
from allennlp.training.learning_rate_schedulers import LearningRateScheduler

from multitask_model.compat import apply_patches
from multitask_model.compat.patching import patch


class Owner:
    @staticmethod
    def double(number: int) -> int:
        """Doubles."""
        return 2 * number


def add_one(original: Callable[..., int], number: int) -> int:
    return original(number) + 1


def test_a_patched_function_gets_the_original() -> None:
    class Own(Owner): ...

    patch(Own, "double")(add_one)
    assert (Own.double.__name__, Own.double.__doc__) == ("double", "Doubles.")
    assert vars(Own)["double"](5) == 11
    assert Owner.double(5) == 10


def test_a_patched_function_is_not_patched_again() -> None:
    class Own(Owner): ...

    patch(Own, "double")(add_one)
    patched = vars(Own)["double"]
    patch(Own, "double")(add_one)
    assert vars(Own)["double"] is patched


def test_applying_the_patches_again_changes_nothing() -> None:
    def state() -> List[Any]:
        scheduler = LearningRateScheduler.by_name("reduce_on_plateau")
        has_safe_globals = hasattr(torch.serialization, "add_safe_globals")
        return [
            MultiProcessDataLoader._start_batch_workers,
            MultiProcessDataLoader._start_instance_workers,
            Module._post_load_state_dict,
            cached_transformers.get_tokenizer,
            scheduler.__init__,
            WandBCallback.on_start,
            torch.serialization.get_safe_globals() if has_safe_globals else None,
        ]

    apply_patches()
    before = state()
    apply_patches()
    assert state() == before
