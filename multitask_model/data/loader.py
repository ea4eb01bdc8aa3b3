"""The `multitask` data loader."""

from typing import Any, Dict, Iterator

from allennlp.data.data_loaders import DataLoader
from allennlp.data.data_loaders import MultiTaskDataLoader as AllenNLPMultiTaskDataLoader
from allennlp.nn import util as nn_util
from overrides import overrides

from multitask_model.data.collate import collate


@DataLoader.register("multitask", exist_ok=True)
class MultiTaskDataLoader(AllenNLPMultiTaskDataLoader):
    """
    AllenNLP's `MultiTaskDataLoader`, except that the instances of a batch need not have the same
    fields: see `collate`. So any scheduler works for any datasets, `roundrobin` among them.

    Registered as a `DataLoader` with name "multitask".
    """

    @overrides
    def __iter__(self) -> Iterator[Dict[str, Any]]:
        device = -1 if self.cuda_device is None else self.cuda_device
        epoch = self._get_instances_for_epoch()
        for instances in self.scheduler.batch_instances(epoch):
            yield nn_util.move_to_device(collate(instances), device)
