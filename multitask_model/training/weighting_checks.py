"""Checks that the batches suit the loss weighting, before the first epoch."""

import logging

from allennlp.common.checks import ConfigurationError
from allennlp.data import DataLoader
from allennlp.data.data_loaders.multitask_scheduler import HomogeneousRoundRobinScheduler

from multitask_model.data.data_loaders.multitask_data_loader import MultiTaskDataLoader
from multitask_model.data.schedulers import HomogeneousScheduler
from multitask_model.errors import format_names
from multitask_model.model import MultiTaskModel

logger = logging.getLogger(__name__)


def check_loss_weighting(model: MultiTaskModel, loader: DataLoader) -> None:
    """
    Checks a weighting that compares the losses of the heads in one batch. If the scheduler is known
    to make batches of one task, and each task has a single head, there is nothing to compare. If
    tasks have some of the heads, a warning says which. For other schedulers, the weighting itself
    logs the first batch on which not all heads ran.

    # Parameters

    model : `MultiTaskModel`
    loader : `DataLoader`
        The loader of the training data.

    # Raises

    `ConfigurationError`
        If no batch can have the losses of two heads.
    """
    heads = list(model.heads)
    if not model.loss_weighting.compares_heads or len(heads) < 2 or not _has_one_task(loader):
        return
    names = list(loader.datasets) if isinstance(loader, MultiTaskDataLoader) else model.tasks.names
    heads_of = {task: model.tasks.heads_of(task) for task in names if task in model.tasks.names}
    weighting = type(model.loss_weighting).__name__
    if all(len(of_task) < 2 for of_task in heads_of.values()):
        raise ConfigurationError(
            f"The loss weighting {weighting} compares the losses of the heads in one batch, but "
            "the scheduler makes batches of one task, and each task has a single head. Use a "
            "scheduler that mixes tasks, such as 'roundrobin', or another loss weighting."
        )
    partial = [task for task, of_task in heads_of.items() if len(of_task) < len(heads)]
    if partial:
        logger.warning(
            "The loss weighting %s compares the losses of the heads in one batch, but the "
            "scheduler makes batches of one task, and the tasks %s have only some of the heads.",
            weighting,
            format_names(partial),
        )


def _has_one_task(loader: DataLoader) -> bool:
    """Whether the loader is known to make batches of one task each."""
    scheduler = getattr(loader, "scheduler", None)
    return isinstance(scheduler, (HomogeneousScheduler, HomogeneousRoundRobinScheduler))
