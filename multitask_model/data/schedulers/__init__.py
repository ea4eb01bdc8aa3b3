"""How the instances of an epoch become batches, and in what order these come."""

from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler

from multitask_model.data.schedulers.homogeneous import HomogeneousScheduler
from multitask_model.data.schedulers.homogeneous_roundrobin import HomogeneousRoundRobinScheduler
from multitask_model.data.schedulers.roundrobin import RoundRobinScheduler
from multitask_model.data.schedulers.scheduler import Scheduler
from multitask_model.data.schedulers.shuffled import ShuffledScheduler

# For a config that gives a scheduler without a type.
MultiTaskScheduler.default_implementation = "shuffled"

__all__ = [
    "HomogeneousRoundRobinScheduler",
    "HomogeneousScheduler",
    "RoundRobinScheduler",
    "Scheduler",
    "ShuffledScheduler",
]
