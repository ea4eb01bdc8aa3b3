"""What the tests of samplers share."""

import copy
from typing import Any, Dict

from allennlp.common import Params
from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler


class Lazy:
    """As a loader of a dataset that is read lazily: to ask for its length is an error."""

    def __len__(self) -> int:
        raise TypeError


def make_sampler(type_name: str, **params: Any) -> Any:
    return MultiTaskEpochSampler.from_params(Params({"type": type_name, **copy.deepcopy(params)}))


def loaders_of(**sizes: int) -> Dict[str, Any]:
    return {task: range(size) for task, size in sizes.items()}
