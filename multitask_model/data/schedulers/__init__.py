"""Schedulers: they cut the instances of an epoch into batches and order the batches."""

from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler

from multitask_model.data.schedulers.homogeneous import HomogeneousScheduler
from multitask_model.data.schedulers.homogeneous_roundrobin import HomogeneousRoundRobinScheduler
from multitask_model.data.schedulers.roundrobin import RoundRobinScheduler
from multitask_model.data.schedulers.scheduler import Scheduler
from multitask_model.data.schedulers.shuffled import ShuffledScheduler

# Used for a config with a scheduler that has no type.
MultiTaskScheduler.default_implementation = "shuffled"

__all__ = [
    "HomogeneousRoundRobinScheduler",
    "HomogeneousScheduler",
    "RoundRobinScheduler",
    "Scheduler",
    "ShuffledScheduler",
]
