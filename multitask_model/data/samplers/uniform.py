"""The `uniform` sampler."""

from typing import Dict, Mapping, Sized

from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler
from overrides import overrides

from multitask_model.data.samplers.epoch_sampler import EpochSampler


@MultiTaskEpochSampler.register("uniform", exist_ok=True)
class UniformSampler(EpochSampler):
    """
    The same share for every dataset, as AllenNLP's sampler of that name.

    Registered as a `MultiTaskEpochSampler` with name "uniform".
    """

    @overrides
    def get_task_proportions(self, data_loaders: Mapping[str, Sized]) -> Dict[str, float]:
        return {task: 1 / len(data_loaders) for task in data_loaders}
