"""The `weighted` sampler."""

from typing import Dict, Mapping, Optional, Sequence, Sized

from allennlp.common.checks import ConfigurationError
from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler
from overrides import overrides

from multitask_model.data.samplers.epoch_sampler import EpochSampler
from multitask_model.data.samplers.proportions import check_keys, is_number, normalize
from multitask_model.errors import format_names


@MultiTaskEpochSampler.register("weighted", exist_ok=True)
class WeightedSampler(EpochSampler):
    """
    Shares in proportion to weights, as AllenNLP's sampler of that name.

    Registered as a `MultiTaskEpochSampler` with name "weighted".

    # Parameters

    weights : `Dict[str, float]`
        The weight of each dataset. With a weight of 0 it has no instances in the epochs.

    # Raises

    `ConfigurationError`
        If a weight is not a finite number of at least 0. When the loader is made: if a dataset has
        no weight, if a weight is for no dataset, or if those of the loader's datasets are all 0.
    """

    def __init__(self, weights: Dict[str, float]) -> None:
        super().__init__()
        for task, weight in weights.items():
            if not is_number(weight) or weight < 0:
                raise ConfigurationError(
                    "weights must be finite numbers of at least 0, but that of the dataset "
                    f"{task!r} is {weight!r}. Correct it."
                )
        self.weights = dict(weights)

    @overrides
    def check_tasks(self, tasks: Sequence[str], known: Optional[Sequence[str]] = None) -> None:
        check_keys("weights", self.weights, tasks, known)
        if not any(self.weights[task] for task in tasks):
            raise ConfigurationError(
                "weights must be above 0 for at least one dataset, but those of "
                f"{format_names(tasks)} are all 0. Raise one."
            )

    @overrides
    def get_task_proportions(self, data_loaders: Mapping[str, Sized]) -> Dict[str, float]:
        self.check_tasks(list(data_loaders), known=list(self.weights))
        return normalize({task: self.weights[task] for task in data_loaders})
