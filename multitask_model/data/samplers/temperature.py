"""The `temperature` sampler."""

from typing import Dict, Mapping, Sized

from allennlp.common.checks import ConfigurationError
from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler
from overrides import overrides

from multitask_model.data.samplers.epoch_sampler import EpochSampler
from multitask_model.data.samplers.proportions import is_number, shares_by_size, sizes_of


@MultiTaskEpochSampler.register("temperature", exist_ok=True)
class TemperatureSampler(EpochSampler):
    """
    Between `proportional` and `uniform`: of datasets with n_i instances, the share of dataset i is

    n_i^(1/T) / sum_j n_j^(1/T)

    for a temperature T. With T = 1 that is `proportional`, and the higher T, the closer it is to
    `uniform`. After Arivazhagan et al. (2019), *Massively Multilingual Neural Machine Translation
    in the Wild: Findings and Challenges*, https://arxiv.org/abs/1907.05019, who use T = 5 for
    languages whose data differ by orders of magnitude.

    Registered as a `MultiTaskEpochSampler` with name "temperature".

    # Parameters

    temperature : `float`, optional (default = `2.0`)
        T. Below 1 it favours large datasets even more than `proportional` does.

    # Raises

    `ConfigurationError`
        If `temperature` is not a finite number above 0. When the shares are asked for: if a dataset
        is empty, or is read lazily and so has no size.
    """

    def __init__(self, temperature: float = 2.0) -> None:
        super().__init__()
        if not is_number(temperature) or temperature <= 0:
            raise ConfigurationError(
                f"temperature must be a finite number above 0, but it is {temperature!r}. 1 is "
                "'proportional', and the higher, the closer it is to 'uniform'."
            )
        self.temperature = temperature

    @overrides
    def get_task_proportions(self, data_loaders: Mapping[str, Sized]) -> Dict[str, float]:
        return shares_by_size(sizes_of(data_loaders, "temperature"), 1 / self.temperature)
