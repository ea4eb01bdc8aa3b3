"""What a report knows of each epoch, as plain data that JSON can hold."""

import dataclasses
import json
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

Metrics = Dict[str, float]

MODEL = ""
"""The key of the metrics that belong to no head, such as the joint loss."""

VERSION = 1


@dataclasses.dataclass
class EpochRecord:
    """
    One epoch. `training` and `validation` have the metrics of each head by its name, and those of
    the model under `MODEL`.

        >>> record = EpochRecord(0, {"ner": {"loss": 0.5}}, instances={"news": 30, "mail": 10})
        >>> EpochRecord(**dataclasses.asdict(record)) == record, record.share("news")
        (True, 0.75)
    """

    epoch: int
    training: Dict[str, Metrics] = dataclasses.field(default_factory=dict)
    validation: Dict[str, Metrics] = dataclasses.field(default_factory=dict)
    instances: Dict[str, int] = dataclasses.field(default_factory=dict)
    """The number of training instances of each task."""
    seconds: Dict[str, float] = dataclasses.field(default_factory=dict)
    """The seconds that training steps took, by task."""
    head_instances: Dict[str, int] = dataclasses.field(default_factory=dict)
    head_seconds: Dict[str, float] = dataclasses.field(default_factory=dict)
    has_mixed_batches: bool = False
    total_seconds: Optional[float] = None
    """The seconds from the first training step to the end of validation."""
    padding: Dict[str, float] = dataclasses.field(default_factory=dict)
    """The padding ratio in `training` and in `validation`."""
    learning_rates: Dict[str, float] = dataclasses.field(default_factory=dict)
    """The learning rate of each parameter group in the last step."""
    cosines: List[Tuple[str, str, float]] = dataclasses.field(default_factory=list)
    """The mean cosine between the gradients of two heads."""

    def share(self, task: str) -> Optional[float]:
        """The proportion of a task in the training instances; `None` if nothing was counted."""
        total = sum(self.instances.values())
        return self.instances.get(task, 0) / total if total else None

    def head_share(self, head: str) -> Optional[float]:
        """The proportion of the training instances that a head served."""
        total = sum(self.instances.values())
        return self.head_instances.get(head, 0) / total if total else None


@dataclasses.dataclass
class Report:
    """
    The epochs of a training so far.

        >>> report = Report({"ner": ["news"]}, epochs=[EpochRecord(0, {"ner": {"loss": 0.5}})])
        >>> Report.from_json(report.to_json()) == report
        True
    """

    heads: Dict[str, List[str]]
    """The tasks of each head."""
    validation_metric: List[str] = dataclasses.field(default_factory=list)
    """The metrics that choose the epoch, each with the sign `+` or `-`."""
    main_metrics: Dict[str, str] = dataclasses.field(default_factory=dict)
    """The metrics of heads that the user named, each with a sign."""
    chosen_epoch: Optional[int] = None
    epochs: List[EpochRecord] = dataclasses.field(default_factory=list)
    labels: Dict[str, Dict[str, Any]] = dataclasses.field(default_factory=dict)
    """What the heads predicted for each label: `LabelCounts.to_json()`."""
    labels_epoch: Optional[int] = None
    processes: int = 1

    @property
    def has_validation(self) -> bool:
        """Whether any epoch was validated."""
        return any(record.validation for record in self.epochs)

    def add(self, record: EpochRecord) -> None:
        """Adds an epoch, in place of one of the same number."""
        others = [other for other in self.epochs if other.epoch != record.epoch]
        self.epochs = sorted([*others, record], key=lambda other: other.epoch)

    def to_json(self) -> Dict[str, Any]:
        """Returns plain data."""
        return {"version": VERSION, **dataclasses.asdict(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Report":
        """Reads what `to_json` returned, also after a pass through a file."""
        values = {name: value for name, value in data.items() if name != "version"}
        values["epochs"] = [epoch_from_json(epoch) for epoch in data["epochs"]]
        return cls(**values)

    def write(self, path: Path) -> None:
        """Writes a file in JSON."""
        path.write_text(json.dumps(self.to_json(), indent=1) + "\n", encoding="utf-8")


def epoch_from_json(data: Mapping[str, Any]) -> EpochRecord:
    """Reads an epoch from plain data."""
    cosines = [(str(a), str(b), float(value)) for a, b, value in data.get("cosines", [])]
    return EpochRecord(**{**data, "cosines": cosines})
