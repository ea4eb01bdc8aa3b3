"""What the report says of a head."""

from multitask_model.training.report.records import Report
from multitask_model.training.report.summary import summarize
from tests.helpers.reports import make_report


def test_the_best_epoch_is_compared_with_the_chosen_one() -> None:
    (head,) = summarize(make_report({"ner": [0.5, 0.8, 0.6]}, chosen=2))
    assert head.best == (1, 0.8)
    assert head.chosen == 0.6
    assert head.remarks == ["best in epoch 1"]


def test_the_best_error_is_the_smallest() -> None:
    (head,) = summarize(make_report({"stars": [0.5, 0.4, 0.6]}, metric="mae", chosen=1))
    assert head.best == (1, 0.4)
    assert head.remarks == []


def test_the_share_is_that_of_the_last_epoch() -> None:
    first, second = summarize(make_report({"a": [0.1], "b": [0.2]}))
    assert (first.share, second.share) == (1 / 3, 2 / 3)
    assert first.seconds == 1.5


def test_a_loss_that_does_not_fall_is_named() -> None:
    report = make_report({"ner": [0.5, 0.5, 0.5]})
    for record in report.epochs:
        record.training["ner"]["loss"] = 2.0
    assert summarize(report)[0].remarks == ["training loss does not fall"]


def test_a_validation_loss_that_rises_is_named() -> None:
    report = make_report({"ner": [0.5, 0.5, 0.5, 0.5]})
    for record, loss in zip(report.epochs, (2.0, 1.0, 1.5, 1.8)):
        record.validation["ner"]["loss"] = loss
    assert summarize(report)[0].remarks == ["validation loss lowest in epoch 1"]


def test_a_head_without_instances_is_named() -> None:
    report = make_report({"a": [0.1], "b": [0.2]})
    del report.epochs[0].head_instances["b"]
    assert [head.remarks for head in summarize(report)] == [[], ["no training instances"]]


def test_training_metrics_stand_in_for_validation() -> None:
    report = make_report({"ner": [0.5, 0.7]})
    for record in report.epochs:
        record.validation = {}
    (head,) = summarize(report)
    assert head.values == [(0, 0.5), (1, 0.7)]
    assert head.chosen is None


def test_a_head_without_any_metric_has_no_best_value() -> None:
    (head,) = summarize(Report({"ner": ["news"]}))
    assert (head.best, head.values, head.metric.name) == (None, [], "loss")
