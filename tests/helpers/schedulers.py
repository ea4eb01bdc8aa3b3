"""Schedulers for tests, and numbered items for them to batch."""

from typing import Any, Dict, Iterable, List, Tuple

from allennlp.common import Params
from allennlp.data import Instance
from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler

SCHEDULERS = ["roundrobin", "homogeneous_roundrobin", "shuffled"]

Item = Tuple[str, int]


class PairScheduler(MultiTaskScheduler):
    """
    A scheduler written for AllenNLP's loader: batches of two, one dataset after the other. It
    checks that it is given instances.
    """

    def batch_instances(
        self, epoch_instances: Dict[str, Iterable[Instance]]
    ) -> Iterable[List[Instance]]:
        for instances in epoch_instances.values():
            batch: List[Instance] = []
            for instance in instances:
                assert isinstance(instance, Instance)
                batch.append(instance)
                if len(batch) == 2:
                    yield batch
                    batch = []
            if batch:
                yield batch

    def count_batches(self, dataset_counts: Dict[str, int]) -> int:
        return sum((count + 1) // 2 for count in dataset_counts.values())


def make_scheduler(type_name: str, batch_size: Any, drop_last: bool = False) -> Any:
    """A scheduler from a config."""
    params = {"type": type_name, "batch_size": batch_size, "drop_last": drop_last}
    return MultiTaskScheduler.from_params(Params(params))


def items_of(**counts: int) -> Dict[str, List[Item]]:
    """Items of each dataset: its name and a number."""
    return {task: [(task, i) for i in range(count)] for task, count in counts.items()}


def spelled(batches: Iterable[List[Item]]) -> str:
    """Formats batches as a string: `"a0 a1 | b0"`."""
    return " | ".join(" ".join(f"{task}{i}" for task, i in batch) for batch in batches)
