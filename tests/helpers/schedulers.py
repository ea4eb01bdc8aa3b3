"""What the tests of schedulers share."""

from typing import Any, Dict, List, Tuple

from allennlp.common import Params
from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler

Item = Tuple[str, int]


def make_scheduler(type_name: str, batch_size: Any, drop_last: bool = False) -> Any:
    params = {"type": type_name, "batch_size": batch_size, "drop_last": drop_last}
    return MultiTaskScheduler.from_params(Params(params))


def items_of(**counts: int) -> Dict[str, List[Item]]:
    """Items that show which dataset they are of, and where in it."""
    return {task: [(task, i) for i in range(count)] for task, count in counts.items()}


def spelled(batches: Any) -> str:
    """Batches as text: `"a0 a1 | b0"`."""
    return " | ".join(" ".join(f"{task}{i}" for task, i in batch) for batch in batches)
