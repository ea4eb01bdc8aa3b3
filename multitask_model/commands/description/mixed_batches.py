"""Errors that only batches of several tasks have."""

import random
from typing import Dict, List, Optional

import torch
from allennlp.data import Instance
from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler

from multitask_model.commands.description.tasks import task_of
from multitask_model.data.collate import collate
from multitask_model.model import MultiTaskModel


def find_mixed_batch_error(
    model: MultiTaskModel, scheduler: MultiTaskScheduler, instances: Dict[str, List[Instance]]
) -> Optional[str]:
    """
    Calls the model with the batches that a scheduler makes of a few instances, as far as they have
    several tasks.

    # Parameters

    model : `MultiTaskModel`
    scheduler : `MultiTaskScheduler`
    instances : `Dict[str, List[Instance]]`
        Indexed instances of each task.

    # Returns

    `Optional[str]`
        The first error.
    """
    if hasattr(scheduler, "set_random"):
        scheduler.set_random(random.Random(0))
    for batch in scheduler.batch_instances(dict(instances)):
        batch = list(batch)
        try:
            if len({task_of(instance) for instance in batch}) > 1:
                with torch.no_grad():
                    model(**collate(batch))
        except Exception as error:  # a component may raise anything
            worded = isinstance(error, (ValueError, RuntimeError))
            return str(error) if worded else f"{type(error).__name__}: {error}"
    return None
