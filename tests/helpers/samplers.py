"""Samplers for tests, and mappings that stand for the datasets that they are given."""

import copy
from typing import Any, Dict, Mapping, Sized

from allennlp.common import Params
from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler

TASKS = ["a", "b", "c"]

SAMPLER_PARAMS: Dict[str, Dict[str, Any]] = {
    "uniform": {},
    "weighted": {"weights": {"a": 1, "b": 5, "c": 0.3}},
    "proportional": {},
    "temperature": {"temperature": 3.0},
    "annealed": {"num_epochs": 3},
    "dynamic": {"metrics": {task: f"+{task}_accuracy" for task in TASKS}},
}
"""Parameters of each type of sampler, for some or all of `TASKS`."""


class Lazy:
    """Stands for a dataset that is read lazily: `len` raises `TypeError`."""

    def __len__(self) -> int:
        raise TypeError


class FirstTaskSampler(MultiTaskEpochSampler):
    """A sampler written for AllenNLP's loader. It returns no proportion for most tasks."""

    def get_task_proportions(self, data_loaders: Mapping[str, Sized]) -> Dict[str, float]:
        return {next(iter(data_loaders)): 3.0}


def make_sampler(type_name: str, **params: Any) -> Any:
    """A sampler from a config."""
    return MultiTaskEpochSampler.from_params(Params({"type": type_name, **copy.deepcopy(params)}))


def default_sampler(type_name: str) -> Any:
    """A sampler with the parameters in `SAMPLER_PARAMS`."""
    return make_sampler(type_name, **SAMPLER_PARAMS[type_name])


def datasets_of(**sizes: int) -> Dict[str, Any]:
    """Datasets of the given sizes."""
    return {task: range(size) for task, size in sizes.items()}
