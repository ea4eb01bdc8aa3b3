"""The trainer callback `multitask_data`."""

import logging
from typing import Dict, List, Optional, cast

import torch.distributed as dist
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import is_distributed
from allennlp.training import GradientDescentTrainer
from allennlp.training.callbacks import TrainerCallback
from overrides import overrides

from multitask_model.compat.allennlp_internals import batches_completed, batches_to_skip
from multitask_model.data.data_loaders.epoch_tracker import LoaderState
from multitask_model.data.data_loaders.multitask_data_loader import MultiTaskDataLoader

logger = logging.getLogger(__name__)


@TrainerCallback.register("multitask_data")
class MultiTaskDataCallback(TrainerCallback):
    """
    Connects the trainer with a `MultiTaskDataLoader`:

    - After each epoch, the metrics are passed to `update_from_epoch_metrics` of the loader's
      sampler and scheduler. The sampler `dynamic` requires this.
    - Checkpoints contain the loader's state: the position in every dataset, the state of the
      sampler, and the seed. A recovered run trains on exactly the same batches as an uninterrupted
      one. AllenNLP's trainer iterates over all earlier batches again; the loader returns empty
      batches for these, which takes no time. Batches that are taken from the loader before the
      training do not count.

    Without the callback, a recovered run gets the same batches too, by loading all earlier batches
    again, as long as the sampler does not depend on metrics.

    Registered as a `TrainerCallback` with name "multitask_data".

    # Parameters

    serialization_dir : `str`
        Set by the trainer.

    # Raises

    `ConfigurationError`
        At the start of training: if the data loader is not a `MultiTaskDataLoader`, or a checkpoint
        is of a loader with other datasets.

    # Examples

    In the config of a trainer:

    >>> from allennlp.common import Params
    >>> from allennlp.training.callbacks import TrainerCallback
    >>> trainer = Params({"num_epochs": 10, "callbacks": [{"type": "multitask_data"}]})
    >>> (params,) = trainer.pop("callbacks")
    >>> callback = TrainerCallback.from_params(params, serialization_dir="run")
    >>> callback.state_dict()  # before the training; then one state per process
    {'loaders': []}
    """

    def __init__(self, serialization_dir: str) -> None:
        super().__init__(serialization_dir)
        self._states: List[LoaderState] = []
        self._restored: Optional[List[LoaderState]] = None

    @overrides
    def on_start(
        self, trainer: GradientDescentTrainer, is_primary: bool = True, **kwargs: object
    ) -> None:
        super().on_start(trainer, is_primary, **kwargs)
        loader = self._loader
        if self._restored is not None:
            state = _state_of_this_process(self._restored)
            loader.load_state_dict(state, fast_forward=batches_to_skip(trainer))
        else:
            loader.start_training()
        self._states = _states_of_all_processes(loader.state_dict())

    @overrides
    def on_epoch(
        self,
        trainer: GradientDescentTrainer,
        metrics: Dict[str, object],
        epoch: int,
        is_primary: bool = True,
        **kwargs: object,
    ) -> None:
        self._loader.update_from_epoch_metrics(metrics)
        # In distributed training, the epoch of all processes ends when the first one has no more
        # batches.
        self._loader.finish_epoch(batches_completed(trainer))
        self._states = _states_of_all_processes(self._loader.state_dict())

    @property
    def _loader(self) -> MultiTaskDataLoader:
        assert self.trainer is not None
        loader = self.trainer.data_loader
        if not isinstance(loader, MultiTaskDataLoader):
            raise ConfigurationError(
                "The trainer callback 'multitask_data' requires the data loader 'multitask' of "
                f"multitask_model, but got {type(loader).__name__}. Change the type of the "
                "data_loader, or remove the callback."
            )
        return loader

    @overrides
    def state_dict(self) -> Dict[str, List[LoaderState]]:
        """Returns the loader state of each process at the start of the current epoch."""
        return {"loaders": self._states}

    # Older releases of `overrides` reject `object` for the values.
    @overrides(check_signature=False)
    def load_state_dict(self, state_dict: Dict[str, object]) -> None:
        """Keeps the states until `on_start`, because the loader is not known yet."""
        self._restored = cast(Optional[List[LoaderState]], state_dict.get("loaders")) or None
        if self._restored is None:
            logger.warning(
                "The checkpoint has no state of a multitask data loader, because the run was "
                "started without the callback 'multitask_data'. All earlier batches are loaded "
                "again."
            )


def _states_of_all_processes(state: LoaderState) -> List[LoaderState]:
    # Only the first process writes checkpoints, but every process has a loader.
    if not is_distributed():
        return [state]
    states = cast(List[LoaderState], [None] * dist.get_world_size())
    dist.all_gather_object(states, state)
    return states


def _state_of_this_process(states: List[LoaderState]) -> LoaderState:
    rank, processes = (dist.get_rank(), dist.get_world_size()) if is_distributed() else (0, 1)
    if len(states) != processes:
        logger.warning(
            "The checkpoint is of %d processes, but this run has %d, which shard the instances "
            "differently: some instances may be repeated early, and others delayed.",
            len(states),
            processes,
        )
    return states[min(rank, len(states) - 1)]
