"""The `uniform` sampler."""

from typing import Dict, Mapping, Sized

from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler
from overrides import overrides

from multitask_model.compat.allennlp_internals import register_in_place
from multitask_model.data.samplers.epoch_sampler import EpochSampler


@register_in_place(MultiTaskEpochSampler, "uniform")
class UniformSampler(EpochSampler):
    """
    Samples all datasets in equal proportions, as AllenNLP's sampler of the same name does.

    Registered as a `MultiTaskEpochSampler` with name "uniform".

    # Examples

    >>> from multitask_model.data.samplers import UniformSampler
    >>> UniformSampler().get_task_proportions({"tweets": range(900), "ewt": range(100)})
    {'tweets': 0.5, 'ewt': 0.5}
    """

    @overrides
    def get_task_proportions(self, data_loaders: Mapping[str, Sized]) -> Dict[str, float]:
        return {task: 1 / len(data_loaders) for task in data_loaders}
