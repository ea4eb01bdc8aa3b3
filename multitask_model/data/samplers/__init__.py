"""Samplers: they set the proportion of each dataset in an epoch."""

from multitask_model.data.samplers.annealed import AnnealedSampler
from multitask_model.data.samplers.dynamic import DynamicSampler
from multitask_model.data.samplers.epoch_sampler import EpochSampler
from multitask_model.data.samplers.proportional import ProportionalSampler
from multitask_model.data.samplers.temperature import TemperatureSampler
from multitask_model.data.samplers.uniform import UniformSampler
from multitask_model.data.samplers.weighted import WeightedSampler

__all__ = [
    "AnnealedSampler",
    "DynamicSampler",
    "EpochSampler",
    "ProportionalSampler",
    "TemperatureSampler",
    "UniformSampler",
    "WeightedSampler",
]
