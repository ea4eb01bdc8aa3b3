"""The loader options that are given once for all tasks."""

import logging
from typing import Dict, List, Mapping, Optional, Union

from allennlp.common.checks import ConfigurationError
from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler
from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler

from multitask_model.data.data_loaders.scheduler_adapter import batch_size_of
from multitask_model.data.schedulers import ShuffledScheduler
from multitask_model.data.value_checks import is_integer

logger = logging.getLogger(__name__)


def check_tasks(
    component: Union[MultiTaskScheduler, MultiTaskEpochSampler, None],
    tasks: List[str],
    known: List[str],
) -> None:
    """
    Calls `check_tasks` of a sampler or scheduler that has this method, and otherwise checks that a
    `batch_size` per dataset is complete.
    """
    if component is not None and hasattr(component, "check_tasks"):
        component.check_tasks(tasks, known)
    elif isinstance(component, MultiTaskScheduler) and hasattr(component, "batch_size"):
        for task in tasks if isinstance(component.batch_size, Mapping) else []:
            batch_size_of(component, task)


_INSTEAD_OF_BATCH_SIZE = (
    " In place of the option --batch-size, override the batch_size of the scheduler: --overrides "
    "'{\"data_loader.scheduler.batch_size\": 8}' or, if the config has a validation_data_loader, "
    "that of its scheduler."
)


def choose_scheduler(
    scheduler: Optional[MultiTaskScheduler], batch_size: Union[int, Dict[str, int], None]
) -> MultiTaskScheduler:
    """
    Returns `scheduler`, or the default scheduler with `batch_size`.

    # Raises

    `ConfigurationError`
        Unless exactly one of the two is given.
    """
    if scheduler is not None and batch_size is None:
        return scheduler
    if scheduler is None and batch_size is not None:
        return ShuffledScheduler(batch_size)
    got, advice = ("neither", "") if scheduler is None else ("both", _INSTEAD_OF_BATCH_SIZE)
    raise ConfigurationError(
        f"A multitask loader requires either a scheduler or a batch_size, but got {got}. With a "
        f"batch_size, the scheduler is 'shuffled'.{advice}"
    )


def check_sampler(
    sampler: Optional[MultiTaskEpochSampler], instances_per_epoch: Optional[int]
) -> None:
    """
    Checks that a sampler is given if and only if `instances_per_epoch` is given. A sampler without
    it is logged as a warning.

    # Raises

    `ConfigurationError`
        If `instances_per_epoch` is given without a sampler, or is not an integer of at least 1.
    """
    if instances_per_epoch is None:
        if sampler is not None:
            logger.warning(
                "The sampler (%s) has no effect without instances_per_epoch: each epoch has every "
                "instance once. Set instances_per_epoch, or remove the sampler.",
                type(sampler).__name__,
            )
        return
    if not is_integer(instances_per_epoch, 1):
        raise ConfigurationError(
            "instances_per_epoch must be an integer of at least 1, but got "
            f"{instances_per_epoch!r}. Correct it, or remove it to use every instance once."
        )
    if sampler is None:
        raise ConfigurationError(
            "instances_per_epoch requires a sampler, which sets the proportion of each dataset, "
            "but got none. Add one, such as 'proportional', or remove instances_per_epoch."
        )


def check_sorting_keys(sorting_keys: Optional[List[str]], padding_noise: float) -> None:
    """
    Checks the options of buckets.

    # Raises

    `ConfigurationError`
        If `sorting_keys` is not a list, or `padding_noise` is below 0.
    """
    if isinstance(sorting_keys, str):
        raise ConfigurationError(
            f"sorting_keys must be a list of field names, but got {sorting_keys!r}. Write "
            f"[{sorting_keys!r}]."
        )
    if padding_noise < 0:
        raise ConfigurationError(
            f"padding_noise must be at least 0, but got {padding_noise!r}. It is relative to the "
            "lengths: use a value such as 0.1."
        )


def check_drop_last(scheduler: MultiTaskScheduler, max_tokens: Mapping[str, int]) -> None:
    """
    Checks that the scheduler drops no batches if their tokens are limited.

    # Raises

    `ConfigurationError`
        If it does.
    """
    if max_tokens and getattr(scheduler, "drop_last", False):
        raise ConfigurationError(
            "max_tokens requires drop_last=False, because its batches differ in size and none is "
            "incomplete, but got drop_last=True. Remove one of the two."
        )
