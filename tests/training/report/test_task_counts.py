"""Instances and seconds of each task."""

import pytest

from multitask_model.distributed import FILLER
from multitask_model.routing.tasks import TaskHeads
from multitask_model.training.report.task_counts import TaskCounts


def make_counts() -> TaskCounts:
    return TaskCounts(TaskHeads(["a", "b"], {"news": ["a", "b"], "mail": ["a"]}))


def test_a_step_of_one_task_counts_for_it_and_for_its_heads() -> None:
    counts = make_counts()
    counts.add([{"task": ["news"] * 2}, {"task": ["news"]}], seconds=3.0)
    assert counts.to_json() == {
        "instances": {"news": 3},
        "seconds": {"news": 3.0},
        "head_instances": {"a": 3, "b": 3},
        "head_seconds": {"a": 3.0, "b": 3.0},
        "has_mixed_batches": False,
    }


def test_a_step_of_several_tasks_is_split_by_instances() -> None:
    counts = make_counts()
    counts.add([{"task": ["news", "mail", "mail", "mail"]}], seconds=2.0)
    assert counts.seconds == {"news": 0.5, "mail": 1.5}
    assert counts.head_seconds == {"a": 2.0, "b": 0.5}
    assert counts.has_mixed_batches


def test_the_field_heads_restricts_the_heads() -> None:
    counts = make_counts()
    counts.add([{"task": ["news", "news"], "heads": [["b"], None]}], seconds=1.0)
    assert counts.head_instances == {"a": 1, "b": 2}


def test_a_filler_does_not_count() -> None:
    counts = make_counts()
    counts.add([{"task": ["news"], FILLER: True}], seconds=1.0)
    assert counts.instances == counts.seconds == {}


def test_the_seconds_of_processes_are_averaged() -> None:
    counts, other = make_counts(), make_counts()
    other.add([{"task": ["news"]}], seconds=3.0)
    for _ in range(2):
        counts.merge(other.to_json(), processes=2)
    assert counts.instances == {"news": 2}
    assert counts.seconds == {"news": pytest.approx(3.0)}
