"""The `proportional` sampler."""

from typing import Dict, Mapping, Sized

from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler
from overrides import overrides

from multitask_model.data.samplers.epoch_sampler import EpochSampler
from multitask_model.data.samplers.proportions import normalize, sizes_of


@MultiTaskEpochSampler.register("proportional", exist_ok=True)
class ProportionalSampler(EpochSampler):
    """
    Shares in proportion to the sizes of the datasets, as AllenNLP's sampler of that name.

    Registered as a `MultiTaskEpochSampler` with name "proportional".

    # Raises

    `ConfigurationError`
        When the shares are asked for: if a dataset is empty, or is read lazily and so has no size.
    """

    @overrides
    def get_task_proportions(self, data_loaders: Mapping[str, Sized]) -> Dict[str, float]:
        return normalize(sizes_of(data_loaders, "proportional"))
