"""The `annealed` sampler."""

from typing import Dict, Mapping, Sized

from allennlp.common.checks import ConfigurationError
from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler
from overrides import overrides

from multitask_model.data.samplers.epoch_sampler import EpochSampler
from multitask_model.data.samplers.proportions import shares_by_size, sizes_of


@MultiTaskEpochSampler.register("annealed", exist_ok=True)
class AnnealedSampler(EpochSampler):
    """
    From `proportional` in the first epoch to `uniform` in the last: of datasets with n_i instances,
    the share of dataset i in epoch e = 1, ..., E is

    n_i^a / sum_j n_j^a   with   a = 1 - (e - 1) / (E - 1)

    After Stickland and Murray (2019), *BERT and PALs: Projected Attention Layers for Efficient
    Adaptation in Multi-Task Learning*, https://arxiv.org/abs/1902.02671, where
    a = 1 - 0.8 (e - 1) / (E - 1), which stops short of `uniform`. Ours goes all the way, and stays
    there in epochs after E.

    The loader tells it the epoch, so it needs the one of this library.

    Registered as a `MultiTaskEpochSampler` with name "annealed".

    # Parameters

    num_epochs : `int`, optional (default = `10`)
        E, at least 2: as a rule, the trainer's `num_epochs`.

    # Raises

    `ConfigurationError`
        If `num_epochs` is not a whole number of at least 2. When the shares are asked for: if a
        dataset is empty, or is read lazily and so has no size.
    """

    def __init__(self, num_epochs: int = 10) -> None:
        super().__init__()
        if not isinstance(num_epochs, int) or isinstance(num_epochs, bool) or num_epochs < 2:
            raise ConfigurationError(
                "num_epochs must be a whole number of at least 2, the first and the last epoch, "
                f"but it is {num_epochs!r}. Give the number of epochs of the trainer."
            )
        self.num_epochs = num_epochs
        self._epoch = 0

    @overrides
    def start_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    @overrides
    def get_task_proportions(self, data_loaders: Mapping[str, Sized]) -> Dict[str, float]:
        power = max(0.0, 1 - self._epoch / (self.num_epochs - 1))
        return shares_by_size(sizes_of(data_loaders, "annealed"), power)
