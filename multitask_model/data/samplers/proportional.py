"""The `proportional` sampler."""

from typing import Dict, Mapping, Sized

from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler
from overrides import overrides

from multitask_model.compat.allennlp_internals import register_in_place
from multitask_model.data.samplers.epoch_sampler import EpochSampler
from multitask_model.data.samplers.proportions import dataset_sizes, normalize


@register_in_place(MultiTaskEpochSampler, "proportional")
class ProportionalSampler(EpochSampler):
    """
    Samples each dataset in proportion to its size, as AllenNLP's sampler of the same name does.

    Registered as a `MultiTaskEpochSampler` with name "proportional".

    # Raises

    `ConfigurationError`
        In `get_task_proportions`: if a dataset is empty, or has no length because it is read
        lazily.

    # Examples

    >>> from multitask_model.data.samplers import ProportionalSampler
    >>> ProportionalSampler().get_task_proportions({"tweets": range(900), "ewt": range(100)})
    {'tweets': 0.9, 'ewt': 0.1}
    """

    @overrides
    def get_task_proportions(self, data_loaders: Mapping[str, Sized]) -> Dict[str, float]:
        return normalize(dataset_sizes(data_loaders, "proportional"))
