"""The trainer callback `multitask_data`."""

import logging
from typing import Any, Dict, List, Mapping, Optional

import torch.distributed as dist
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import is_distributed
from allennlp.training.callbacks import TrainerCallback
from overrides import overrides

from multitask_model.data.data_loaders.multitask_data_loader import MultiTaskDataLoader

logger = logging.getLogger(__name__)


@TrainerCallback.register("multitask_data")
class MultiTaskDataCallback(TrainerCallback):
    """
    What training and a `MultiTaskDataLoader` have to tell each other:

    - After each epoch, the loader's sampler and scheduler get the metrics of the epoch, by
      `update_from_epoch_metrics`. The sampler `dynamic` needs that.
    - A checkpoint has the state of the loader in it: the position in every dataset, the state of
      the sampler, and the seed. A run that is recovered goes on with the instances that it had not
      yet seen, exactly as if it had not been interrupted. AllenNLP's trainer then goes through
      all that was done before; it gets empty batches for that, and loses no time.

    Without it, a recovered run gets the same instances too, by really loading all of the earlier
    ones again, as long as the sampler does not go by metrics.

    Registered as a `TrainerCallback` with name "multitask_data".

    # Raises

    `ConfigurationError`
        At the start of training, if the data loader is of another class, or a checkpoint is that
        of other datasets.
    """

    def __init__(self, serialization_dir: str) -> None:
        super().__init__(serialization_dir)
        self._states: List[Dict[str, Any]] = []
        self._restored: Optional[List[Dict[str, Any]]] = None

    @overrides
    def on_start(self, trainer: Any, is_primary: bool = True, **kwargs: Any) -> None:
        super().on_start(trainer, is_primary, **kwargs)
        loader = self._loader
        if self._restored is not None:
            batches = trainer._start_after_batches_in_epoch_completed
            loader.load_state_dict(
                _own_state(self._restored),
                go_through=batches * trainer._num_gradient_accumulation_steps,
            )
        self._states = _of_all_processes(loader.state_dict())

    @overrides
    def on_epoch(
        self,
        trainer: Any,
        metrics: Dict[str, Any],
        epoch: int,
        is_primary: bool = True,
        **kwargs: Any,
    ) -> None:
        self._loader.update_from_epoch_metrics(metrics)
        # In distributed training, the epoch ends for all when the first process has no more.
        batches = trainer._batches_in_epoch_completed * trainer._num_gradient_accumulation_steps
        self._loader.finish_epoch(batches)
        self._states = _of_all_processes(self._loader.state_dict())

    @property
    def _loader(self) -> MultiTaskDataLoader:
        assert self.trainer is not None
        loader = self.trainer.data_loader
        if not isinstance(loader, MultiTaskDataLoader):
            raise ConfigurationError(
                "The trainer callback 'multitask_data' requires the data loader 'multitask' of "
                f"multitask_model, but it is a {type(loader).__name__}. Change the type of "
                "the data_loader, or leave out the callback."
            )
        return loader

    @overrides
    def state_dict(self) -> Dict[str, Any]:
        """That of each process, as of the beginning of the epoch under way."""
        return {"loaders": self._states}

    @overrides
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        # Called before `on_start`, which is the first that is known of the loader.
        self._restored = state_dict.get("loaders")
        if not self._restored:
            logger.warning(
                "The checkpoint has no state of a multitask data loader, as the run was begun "
                "without the callback 'multitask_data'. So all earlier epochs are loaded again."
            )
            self._restored = None


def _of_all_processes(state: Dict[str, Any]) -> List[Dict[str, Any]]:
    """Only the first process writes checkpoints, but each one has instances of its own."""
    if not is_distributed():
        return [state]
    states: List[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(states, state)
    return states


def _own_state(states: List[Dict[str, Any]]) -> Dict[str, Any]:
    rank, processes = (dist.get_rank(), dist.get_world_size()) if is_distributed() else (0, 1)
    if len(states) != processes:
        logger.warning(
            "The checkpoint is that of %d processes, and now there are %d, which share out the "
            "instances in another way: some may come twice, and some later than the others.",
            len(states),
            processes,
        )
    return states[min(rank, len(states) - 1)]
