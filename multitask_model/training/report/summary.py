"""What the epochs say of each head."""

import logging
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from multitask_model.errors import format_names, suggest
from multitask_model.routing.output_names import LOSS
from multitask_model.training.report.metric_names import MainMetric, main_metric
from multitask_model.training.report.records import EpochRecord, Report

logger = logging.getLogger(__name__)

Point = Tuple[int, float]
"""An epoch and a value."""

MIN_EPOCHS = 3
"""Before this number of epochs there are no remarks on the course of a loss."""

LEARNS = 0.98
"""A head learns if its training loss falls below this part of the loss of the first epoch."""

GAP = 0.02
"""The relative difference from its best value from which a head gets a remark."""


class HeadSummary(NamedTuple):
    """
    What the epochs say of one head.

        >>> losses = [{"ner": {"loss": 2.0, "f1": 0.5}}, {"ner": {"loss": 1.0, "f1": 0.4}}]
        >>> epochs = [EpochRecord(i, of_heads, of_heads) for i, of_heads in enumerate(losses)]
        >>> (ner,) = summarize(Report({"ner": ["news"]}, chosen_epoch=1, epochs=epochs))
        >>> ner.metric.name, ner.best, ner.chosen, ner.remarks
        ('f1', (0, 0.5), 0.4, ['best in epoch 0'])
    """

    name: str
    tasks: List[str]
    metric: MainMetric
    training_losses: List[Point]
    validation_losses: List[Point]
    values: List[Point]
    """The main metric of the validation data, or of the training data if there are no others."""
    best: Optional[Point]
    chosen: Optional[float]
    """The main metric in the epoch that the trainer chose."""
    share: Optional[float]
    """The proportion of the last epoch's training instances that the head served."""
    seconds: Optional[float]
    """The seconds of the last epoch's training steps that belong to these instances."""
    remarks: List[str]

    @property
    def gap(self) -> Optional[float]:
        """How much better than in the chosen epoch the head was in its best one."""
        if self.best is None or self.chosen is None:
            return None
        return abs(self.best[1] - self.chosen)


def summarize(report: Report) -> List[HeadSummary]:
    """Returns a summary of each head, in the order of the heads."""
    return [_summary(report, head, tasks) for head, tasks in report.heads.items()]


def _summary(report: Report, head: str, tasks: Sequence[str]) -> HeadSummary:
    split = _split(report)
    names = metrics_of(report, head, split)
    metric = main_metric(head, names, report.validation_metric, report.main_metrics.get(head))
    values = points(report, head, split, metric.name)
    last: Optional[EpochRecord] = report.epochs[-1] if report.epochs else None
    summary = HeadSummary(
        name=head,
        tasks=list(tasks),
        metric=metric,
        training_losses=points(report, head, "training", LOSS),
        validation_losses=points(report, head, "validation", LOSS),
        values=values,
        best=best_of(values, metric.sign),
        chosen=None if report.chosen_epoch is None else dict(values).get(report.chosen_epoch),
        share=None if last is None else last.head_share(head),
        seconds=last.head_seconds.get(head) if last is not None and last.head_seconds else None,
        remarks=[],
    )
    return summary._replace(remarks=_remarks(summary, last))


def warn_of_main_metrics(report: Report) -> None:
    """Logs a warning for each metric in `main_metrics` that its head has not."""
    for head, metric in report.main_metrics.items():
        known = metrics_of(report, head, _split(report))
        if known and metric[1:] not in known:
            logger.warning(
                "main_metrics must name metrics that the heads have, but got %r for %r.%s So far, "
                "the metrics are %s. The report shows none until there is one of this name.",
                metric,
                head,
                suggest(metric[1:], known),
                format_names(known),
            )


def _split(report: Report) -> str:
    return "validation" if report.has_validation else "training"


def metrics_of(report: Report, head: str, split: str) -> List[str]:
    """Returns the names of the metrics that a head had in any epoch, in their order."""
    of_epochs = [getattr(record, split).get(head, {}) for record in report.epochs]
    return list(dict.fromkeys(name for metrics in of_epochs for name in metrics))


def points(report: Report, head: str, split: str, name: str) -> List[Point]:
    """Returns a metric in each epoch that has it."""
    of_epochs: List[Tuple[int, Dict[str, float]]] = [
        (record.epoch, getattr(record, split).get(head, {})) for record in report.epochs
    ]
    return [(epoch, metrics[name]) for epoch, metrics in of_epochs if name in metrics]


def best_of(values: Sequence[Point], sign: int) -> Optional[Point]:
    """Returns the best point, the earliest of several; `None` if there is none."""
    return max(values, key=lambda point: sign * point[1], default=None)


def _remarks(head: HeadSummary, last: Optional[EpochRecord]) -> List[str]:
    remarks = []
    if last is not None and last.instances and not last.head_instances.get(head.name):
        remarks.append("no training instances")
    losses = head.training_losses
    if len(losses) >= MIN_EPOCHS and losses[0][1] > 0:
        if min(loss for _, loss in losses) > LEARNS * losses[0][1]:
            remarks.append("training loss does not fall")
        lowest = best_of(head.validation_losses, -1)
        if lowest is not None and lowest[0] <= head.validation_losses[-1][0] - 2:
            remarks.append(f"validation loss lowest in epoch {lowest[0]}")
    if head.best is not None and head.gap is not None and head.gap > GAP * abs(head.best[1]):
        remarks.append(f"best in epoch {head.best[0]}")
    return remarks
