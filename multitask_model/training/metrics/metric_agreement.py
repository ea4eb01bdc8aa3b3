"""What all processes of distributed training report after an exchange of their metrics."""

import contextlib
import logging
from typing import Dict, Iterable

from allennlp.models.heads import Head

from multitask_model.distributed import gather, rank
from multitask_model.errors import format_names
from multitask_model.training.metrics.head_metrics import is_reset, metrics_of

logger = logging.getLogger(__name__)


def keep_in_first_process(heads: Iterable[Head]) -> None:
    """
    Resets the metrics that heads did not reset after an exchange, except in the first process: the
    next exchange adds up those of all processes.
    """
    for metric in (metric for head in heads for metric in metrics_of(head)):
        if rank() > 0 and not is_reset(metric):
            with contextlib.suppress(NotImplementedError):
                metric.reset()


def agree_on_metrics(metrics: Dict[str, float]) -> Dict[str, float]:
    """
    Returns the metrics of the first process, so that decisions such as early stopping are the same
    in all of them. A warning names those that differ between processes: they count something
    outside of `Metric` objects.
    """
    of_processes = gather(metrics)
    names = dict.fromkeys(name for of_process in of_processes for name in of_process)
    differ = [name for name in names if len({repr(m.get(name)) for m in of_processes}) > 1]
    if differ:
        logger.warning(
            "All processes must report the same metrics, but got different values of %s. Those of "
            "process 0 are used, which are of its own instances. Let the heads count in Metric "
            "objects.",
            format_names(differ),
        )
    return of_processes[0]
