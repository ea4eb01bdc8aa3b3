"""Collation of all batches of an epoch."""

import logging
from typing import Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Set

import torch
from allennlp.data import Vocabulary
from allennlp.nn import util as nn_util

from multitask_model.data.batched_fields import is_batched_fast
from multitask_model.data.data_loaders.batch_workers import BatchCollator, InstanceStore
from multitask_model.data.data_loaders.instance_streams import InstanceRef
from multitask_model.data.data_loaders.padding_ratio import PaddingMeter
from multitask_model.data.data_loaders.task_dataset import TaskDataset
from multitask_model.data.data_loaders.task_options import CollateWorkers
from multitask_model.distributed import FILLER

logger = logging.getLogger(__name__)

Batch = Dict[str, object]


def need_workers(datasets: Mapping[str, TaskDataset]) -> bool:
    """
    Whether processes that collate save time. Sending a lazily read instance to a process takes
    longer than collating it, and so does sending a batch whose tensors are made fast.
    """
    if any(dataset.instances is None for dataset in datasets.values()):
        return False
    return any(
        dataset.changes_each_pass or not is_batched_fast(dataset.first)
        for dataset in datasets.values()
        if dataset.first is not None
    )


class EpochCollator:
    """
    Collates the batches of an epoch, measures their padding and moves them to a device.

        >>> from multitask_model.data.dataset_readers.labeled_text import LabeledTextReader
        >>> class TextsReader(LabeledTextReader):
        ...     def _read(self, texts):
        ...         return map(self.text_to_instance, texts)
        >>> datasets = {"tweets": TaskDataset("tweets", TextsReader({}), ["So good", "Hi"])}
        >>> vocab = Vocabulary.from_instances(datasets["tweets"].instances)
        >>> datasets["tweets"].index_with(vocab)
        >>> collator = EpochCollator(datasets, CollateWorkers(0, "fork"))
        >>> [batch["text"] for batch in collator.collate([[("tweets", 0), ("tweets", 1)]])]
        [{'tokens': {'tokens': tensor([[2, 3],
                [4, 0]])}}]
        >>> collator.padding_ratio
        0.25

    # Parameters

    datasets : `Mapping[str, TaskDataset]`
    workers : `CollateWorkers`
    measured : `Sequence[str]`, optional (default = all text fields)
        The fields whose padding is measured.
    """

    def __init__(
        self,
        datasets: Mapping[str, TaskDataset],
        workers: CollateWorkers,
        measured: Optional[Sequence[str]] = None,
    ) -> None:
        self.store = InstanceStore({task: d.instances for task, d in datasets.items()})
        """The instances of all datasets."""
        self.padding_ratio: Optional[float] = None
        """The padding ratio of the last epoch that was finished."""
        self._batches = BatchCollator(self.store, *workers)
        self._measured = measured
        examples = [d.first for d in datasets.values() if d.first is not None]
        self._example: Optional[InstanceRef] = examples[0] if examples else None

    def index_with(self, vocab: Vocabulary) -> None:
        """Uses the instances as they are now, and indexes those that change with `vocab`."""
        self.store.vocab = vocab
        self._batches.reset()

    def collate(
        self, batches: Iterable[List[InstanceRef]], device: Optional[torch.device] = None
    ) -> Iterator[Batch]:
        """
        Yields the tensors of all batches. An empty batch, which there is in distributed training
        only, is replaced by one with `FILLER`.
        """
        if self._example is None:
            # Another process of distributed training has the instances.
            for _ in batches:
                yield {FILLER: True}
            return
        meter = PaddingMeter(self._measured)
        fillers: Set[int] = set()
        filled = self._fill(batches, self._example, meter, fillers)
        for number, batch in enumerate(self._batches.collate(filled)):
            if number in fillers:
                batch[FILLER] = True
            yield _move(batch, device)
        self.padding_ratio = meter.ratio
        if meter.ratio is not None:
            logger.info("Padding ratio of the batches: %.1f%%", 100 * meter.ratio)

    def _fill(
        self,
        batches: Iterable[List[InstanceRef]],
        example: InstanceRef,
        meter: PaddingMeter,
        fillers: Set[int],
    ) -> Iterator[List[InstanceRef]]:
        """
        Measures the padding. An empty batch becomes one that repeats the last instances; its number
        is added to `fillers`.
        """
        last = [example]
        for number, refs in enumerate(batches):
            if refs:
                meter.add([self.store.in_memory(ref) for ref in refs])
                last = refs
            else:
                fillers.add(number)
            yield last


def _move(batch: Batch, device: Optional[torch.device]) -> Batch:
    if device is None or device.type == "cpu":
        return batch  # which `collate` made in main memory
    moved: Batch = nn_util.move_to_device(batch, device)
    return moved
