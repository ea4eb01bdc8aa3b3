"""The `weighted` sampler."""

from typing import Dict, Mapping, Optional, Sequence, Sized

from allennlp.common.checks import ConfigurationError
from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler
from overrides import overrides

from multitask_model.compat.allennlp_internals import register_in_place
from multitask_model.data.samplers.epoch_sampler import EpochSampler
from multitask_model.data.samplers.proportions import normalize
from multitask_model.data.value_checks import check_keys, is_finite_number
from multitask_model.errors import format_names


@register_in_place(MultiTaskEpochSampler, "weighted")
class WeightedSampler(EpochSampler):
    """
    Samples each dataset in proportion to its weight, as AllenNLP's sampler of the same name does.

    Registered as a `MultiTaskEpochSampler` with name "weighted".

    # Parameters

    weights : `Dict[str, float]`
        The weight of each dataset. A dataset with weight 0 is not sampled.

    # Raises

    `ConfigurationError`
        If a weight is not a finite number of at least 0. At construction of the loader: if a
        dataset has no weight, if a weight is for an unknown dataset, or if the weights of all the
        loader's datasets are 0.

    # Examples

    >>> from multitask_model.data.samplers import WeightedSampler
    >>> sampler = WeightedSampler({"tweets": 3.0, "ewt": 1.0})
    >>> sampler.get_task_proportions({"tweets": range(900), "ewt": range(100)})
    {'tweets': 0.75, 'ewt': 0.25}
    """

    def __init__(self, weights: Dict[str, float]) -> None:
        super().__init__()
        for task, weight in weights.items():
            if not is_finite_number(weight) or weight < 0:
                raise ConfigurationError(
                    f"weights must be finite numbers of at least 0, but got {weight!r} for "
                    f"{task!r}. Correct it."
                )
        self.weights = dict(weights)

    @overrides
    def check_tasks(self, tasks: Sequence[str], known: Optional[Sequence[str]] = None) -> None:
        check_keys("weights", self.weights, tasks, known)
        if not any(self.weights[task] for task in tasks):
            raise ConfigurationError(
                "weights must be above 0 for at least one dataset, but got 0 for all of "
                f"{format_names(tasks)}. Raise at least one."
            )

    @overrides
    def get_task_proportions(self, data_loaders: Mapping[str, Sized]) -> Dict[str, float]:
        self.check_tasks(list(data_loaders), known=list(self.weights))
        return normalize({task: self.weights[task] for task in data_loaders})
