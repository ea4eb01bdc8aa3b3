"""Which head a metric belongs to, and which metric stands for a head."""

import pytest

from multitask_model.training.report.metric_names import (
    MainMetric,
    find_cosines,
    main_metric,
    split_metrics,
)

HEADS = {"pos": ["ewt", "gum"], "pos_fine": ["ewt"]}


def test_a_metric_belongs_to_the_head_with_the_longest_name() -> None:
    metrics = {"validation_pos_accuracy": 0.5, "validation_pos_fine_accuracy": 0.25}
    expected = {"pos": {"accuracy": 0.5}, "pos_fine": {"accuracy": 0.25}}
    assert split_metrics(metrics, "validation_", HEADS) == expected


def test_a_metric_of_a_task_has_the_name_of_the_task() -> None:
    metrics = {"training_gum_pos_loss": 1.0, "training_pos_loss": 2.0}
    expected = {"pos": {"gum: loss": 1.0, "loss": 2.0}}
    assert split_metrics(metrics, "training_", HEADS) == expected


def test_what_is_no_score_is_left_out() -> None:
    metrics = {
        "training_duration": "0:01:00",
        "training__pos_hidden": 1.0,
        "training_worker_0_memory_MB": 900.0,
        "training_conflict_pos_pos_fine": -0.5,
        "training_pos_loss": float("nan"),
        "validation_loss": 3.0,
        "epoch": 4,
    }
    assert split_metrics(metrics, "training_", HEADS) == {}


def test_cosines_are_those_of_pairs_of_heads() -> None:
    metrics = {"training_conflict_pos_pos_fine": -0.5}
    assert find_cosines(metrics, "training_", list(HEADS)) == [("pos", "pos_fine", -0.5)]


@pytest.mark.parametrize(
    ("names", "named", "expected"),
    [
        (["loss", "UAS", "LAS"], None, MainMetric("LAS", 1)),
        (["accuracy", "f1-measure-overall", "loss"], None, MainMetric("f1-measure-overall", 1)),
        (["mae", "loss"], None, MainMetric("mae", -1)),
        (["loss", "weight"], None, MainMetric("loss", -1)),
        (["median", "loss"], None, MainMetric("median", 1)),
        (["UAS", "LAS"], "+UAS", MainMetric("UAS", 1)),
    ],
)
def test_the_main_metric_is_named_or_a_common_one(
    names: "list[str]", named: "str | None", expected: MainMetric
) -> None:
    assert main_metric("parser", names, ["+ner_f1"], named) == expected


def test_the_validation_metric_is_the_main_metric_of_its_head() -> None:
    names, tracked = ["loss", "UAS", "LAS"], ["-loss", "-parser_UAS"]
    assert main_metric("parser", names, tracked, None) == MainMetric("UAS", -1)
