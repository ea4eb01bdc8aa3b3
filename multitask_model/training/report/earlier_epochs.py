"""Epochs of a recovered run that have no record."""

import json
from pathlib import Path
from typing import Dict, List, Mapping, Sequence

from multitask_model.training.report.metric_names import find_cosines, split_metrics
from multitask_model.training.report.records import EpochRecord


def make_record(
    epoch: int, metrics: Mapping[str, object], heads: Mapping[str, Sequence[str]]
) -> EpochRecord:
    """Returns a record with what the metrics of the trainer say of an epoch."""
    return EpochRecord(
        epoch,
        training=split_metrics(metrics, "training_", heads),
        validation=split_metrics(metrics, "validation_", heads),
        cosines=find_cosines(metrics, "training_", list(heads)),
    )


def read_earlier_epochs(
    folder: Path, before: int, known: Sequence[EpochRecord], heads: Mapping[str, List[str]]
) -> List[EpochRecord]:
    """
    Reads the `metrics_epoch_N.json` of the epochs before `before` that have no record, because the
    run was started without the report. They have no numbers of instances and no seconds.
    """
    missing = set(range(before)).difference(record.epoch for record in known)
    found: List[EpochRecord] = []
    for epoch in sorted(missing):
        path = folder / f"metrics_epoch_{epoch}.json"
        if path.is_file():
            metrics: Dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
            found.append(make_record(epoch, metrics, heads))
    return found
