"""Records of epochs, and epochs that have none."""

import json
from pathlib import Path

from multitask_model.training.report.earlier_epochs import read_earlier_epochs
from multitask_model.training.report.records import EpochRecord, Report
from tests.helpers.reports import make_report


def test_a_report_is_equal_after_a_pass_through_a_file(tmp_path: Path) -> None:
    report = make_report({"ner": [0.5, 0.75]}, chosen=1)
    report.epochs[0].cosines = [("ner", "pos", -0.5)]
    report.write(tmp_path / "report.json")
    data = json.loads((tmp_path / "report.json").read_text())
    assert data["version"] == 1
    assert Report.from_json(data) == report


def test_an_epoch_replaces_the_one_of_the_same_number() -> None:
    report = Report({})
    for epoch, seconds in ((1, 1.0), (0, 2.0), (1, 3.0)):
        report.add(EpochRecord(epoch, total_seconds=seconds))
    assert [(r.epoch, r.total_seconds) for r in report.epochs] == [(0, 2.0), (1, 3.0)]


def test_earlier_epochs_are_read_from_the_metrics_of_the_trainer(tmp_path: Path) -> None:
    metrics = {"training_ner_loss": 2.0, "validation_ner_f1": 0.5, "training_conflict_ner_pos": 0.1}
    for epoch in (0, 1, 3):
        (tmp_path / f"metrics_epoch_{epoch}.json").write_text(json.dumps(metrics))
    heads = {"ner": ["news"], "pos": ["ewt"]}
    found = read_earlier_epochs(tmp_path, 3, [EpochRecord(0)], heads)
    assert found == [
        EpochRecord(1, {"ner": {"loss": 2.0}}, {"ner": {"f1": 0.5}}, cosines=[("ner", "pos", 0.1)])
    ]
