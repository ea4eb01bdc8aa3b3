"""The `temperature` sampler."""

from typing import Dict, Mapping, Sized

from allennlp.common.checks import ConfigurationError
from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler
from overrides import overrides

from multitask_model.compat.allennlp_internals import register_in_place
from multitask_model.data.samplers.epoch_sampler import EpochSampler
from multitask_model.data.samplers.proportions import dataset_sizes, proportions_by_size
from multitask_model.data.value_checks import is_finite_number


@register_in_place(MultiTaskEpochSampler, "temperature")
class TemperatureSampler(EpochSampler):
    """
    Interpolates between `proportional` and `uniform`. With n_i instances in dataset i, its
    proportion is

    n_i^(1/T) / sum_j n_j^(1/T)

    for a temperature T. T = 1 equals `proportional`, and a higher T is closer to `uniform`.

    Proposed by Arivazhagan et al. (2019), *Massively Multilingual Neural Machine Translation in the
    Wild: Findings and Challenges*, https://arxiv.org/abs/1907.05019, who use T = 5 for languages
    with dataset sizes that differ by orders of magnitude.

    Registered as a `MultiTaskEpochSampler` with name "temperature".

    # Parameters

    temperature : `float`, optional (default = `2.0`)
        T, above 0. Values below 1 favor large datasets more than `proportional` does.

    # Raises

    `ConfigurationError`
        If `temperature` is not a finite number above 0. In `get_task_proportions`: if a dataset is
        empty, or has no length because it is read lazily.

    # Examples

    >>> from multitask_model.data.samplers import TemperatureSampler
    >>> sampler = TemperatureSampler(temperature=2.0)
    >>> sampler.get_task_proportions({"tweets": range(900), "ewt": range(100)})
    {'tweets': 0.75, 'ewt': 0.25}
    """

    def __init__(self, temperature: float = 2.0) -> None:
        super().__init__()
        if not is_finite_number(temperature) or temperature <= 0:
            raise ConfigurationError(
                f"temperature must be a finite number above 0, but got {temperature!r}. Use 1 for "
                "'proportional', or a higher value to come closer to 'uniform'."
            )
        self.temperature = temperature

    @overrides
    def get_task_proportions(self, data_loaders: Mapping[str, Sized]) -> Dict[str, float]:
        sizes = dataset_sizes(data_loaders, "temperature")
        return proportions_by_size(sizes, 1 / self.temperature)
