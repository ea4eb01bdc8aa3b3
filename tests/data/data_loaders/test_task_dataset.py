"""Reading one dataset."""

from typing import Any, Dict

import pytest

from multitask_model.data.data_loaders.task_dataset import TaskDataset
from tests.helpers.loading import NumbersReader, loader_error


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"max_instances_in_memory": 4},
        pytest.param({"num_workers": {"b": 1}}, marks=pytest.mark.slow),
    ],
    ids=["in memory", "lazy", "worker"],
)
def test_an_empty_dataset_is_an_error(options: Dict[str, Any]) -> None:
    assert loader_error(sizes={"a": 3, "b": 0}, **options) == (
        "Every dataset must have at least one instance, but got none for 'b': its reader "
        "(NumbersReader) found nothing in '0'. Correct the path or the file, or remove the dataset."
    )


def test_the_queue_of_a_lazily_read_dataset_is_limited() -> None:
    dataset = TaskDataset("a", NumbersReader(), "5", num_workers=2, max_instances_in_memory=30)
    assert dataset.job.max_chunks == 6  # of ten instances, in each of 2 processes: 2 · 2 · 30
