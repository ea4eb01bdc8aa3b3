"""The `annealed` sampler."""

from typing import Dict, Mapping, Sized

from allennlp.common.checks import ConfigurationError
from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler
from overrides import overrides

from multitask_model.compat.allennlp_internals import register_in_place
from multitask_model.data.samplers.epoch_sampler import EpochSampler
from multitask_model.data.samplers.proportions import dataset_sizes, proportions_by_size
from multitask_model.data.value_checks import is_integer


@register_in_place(MultiTaskEpochSampler, "annealed")
class AnnealedSampler(EpochSampler):
    """
    Moves from `proportional` in the first epoch to `uniform` in the last. With n_i instances in
    dataset i, its proportion in epoch e = 1, ..., E is

    n_i^a / sum_j n_j^a   with   a = 1 - (e - 1) / (E - 1)

    Proposed by Stickland and Murray (2019), *BERT and PALs: Projected Attention Layers for
    Efficient Adaptation in Multi-Task Learning*, https://arxiv.org/abs/1902.02671, with
    a = 1 - 0.8 (e - 1) / (E - 1), which ends before `uniform`. This version reaches `uniform` and
    keeps it in all epochs after E.

    Requires the data loader `multitask` of this library, which announces each epoch.

    Registered as a `MultiTaskEpochSampler` with name "annealed".

    # Parameters

    num_epochs : `int`, optional (default = `10`)
        E, at least 2. Usually the trainer's `num_epochs`.

    # Raises

    `ConfigurationError`
        If `num_epochs` is not an integer of at least 2. In `get_task_proportions`: if a dataset is
        empty, or has no length because it is read lazily.

    # Examples

    >>> from multitask_model.data.samplers import AnnealedSampler
    >>> sampler = AnnealedSampler(num_epochs=3)
    >>> for epoch in range(3):
    ...     sampler.start_epoch(epoch)
    ...     found = sampler.get_task_proportions({"tweets": range(900), "ewt": range(100)})
    ...     print(f"{found['tweets']:.2f} {found['ewt']:.2f}")
    0.90 0.10
    0.75 0.25
    0.50 0.50
    """

    def __init__(self, num_epochs: int = 10) -> None:
        super().__init__()
        if not is_integer(num_epochs, 2):
            raise ConfigurationError(
                f"num_epochs must be an integer of at least 2, but got {num_epochs!r}. Use the "
                "trainer's num_epochs."
            )
        self.num_epochs = num_epochs
        self._epoch = 0

    @overrides
    def start_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    @overrides
    def get_task_proportions(self, data_loaders: Mapping[str, Sized]) -> Dict[str, float]:
        power = max(0.0, 1 - self._epoch / (self.num_epochs - 1))
        return proportions_by_size(dataset_sizes(data_loaders, "annealed"), power)
