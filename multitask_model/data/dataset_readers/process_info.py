"""A mixin for dataset readers that read with other dataset readers."""

from typing import Iterable, Optional

from allennlp.data import DatasetReader
from allennlp.data.dataset_readers.dataset_reader import DistributedInfo, WorkerInfo
from overrides import overrides

from multitask_model.compat.allennlp_internals import set_distributed_info, set_worker_info


class ForwardsProcessInfo(DatasetReader):
    """
    Passes on to the inner readers what the data loader tells this reader about its worker process
    and its distributed rank. The inner readers need it to shard the data.
    """

    def inner_readers(self) -> Iterable[DatasetReader]:
        """The dataset readers that this one reads with."""
        raise NotImplementedError

    @overrides
    def _set_worker_info(self, info: Optional[WorkerInfo]) -> None:
        super()._set_worker_info(info)
        for reader in self.inner_readers():
            set_worker_info(reader, info)

    @overrides
    def _set_distributed_info(self, info: Optional[DistributedInfo]) -> None:
        super()._set_distributed_info(info)
        for reader in self.inner_readers():
            set_distributed_info(reader, info)
