"""Reports with numbers that are known."""

from typing import Dict, List, Optional

from multitask_model.training.report.records import EpochRecord, Report


def make_report(
    values: Dict[str, List[float]], metric: str = "accuracy", chosen: Optional[int] = None
) -> Report:
    """
    Returns a report with a task for each head. `values` has the metric of each epoch. The training
    loss is 2.0, 1.0, 0.5 ..., and the validation loss is 0.5 more.
    """
    report = Report({head: [f"{head}_data"] for head in values}, chosen_epoch=chosen)
    if chosen is not None:
        report.validation_metric = ["-loss"]
    for epoch in range(len(next(iter(values.values())))):
        record = EpochRecord(epoch)
        for i, (head, of_head) in enumerate(values.items()):
            loss = 2.0 / 2**epoch
            record.training[head] = {"loss": loss, metric: of_head[epoch]}
            record.validation[head] = {"loss": loss + 0.5, metric: of_head[epoch]}
            record.instances[f"{head}_data"] = record.head_instances[head] = 10 * (i + 1)
            record.seconds[f"{head}_data"] = record.head_seconds[head] = 1.5
        report.add(record)
    return report
