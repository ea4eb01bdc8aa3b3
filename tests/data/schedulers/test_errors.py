"""Errors of schedulers, and their batch sizes."""

from typing import Any

import pytest
from allennlp.common.checks import ConfigurationError

from multitask_model.data.schedulers import (
    HomogeneousRoundRobinScheduler,
    RoundRobinScheduler,
    ShuffledScheduler,
)
from tests.helpers.schedulers import items_of

HOMOGENEOUS = [HomogeneousRoundRobinScheduler, ShuffledScheduler]
INVALID_SIZES = [0, -1, True, 2.0, "2", None]


@pytest.mark.parametrize("size", INVALID_SIZES)
@pytest.mark.parametrize("scheduler", [RoundRobinScheduler, *HOMOGENEOUS])
def test_an_invalid_batch_size_is_an_error(scheduler: Any, size: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        scheduler(size)
    assert str(caught.value) == (
        f"batch_size must be an integer of at least 1, but got {size!r}. Set it to the number of "
        "instances in a batch."
    )


@pytest.mark.parametrize("size", INVALID_SIZES)
@pytest.mark.parametrize("scheduler", HOMOGENEOUS)
def test_an_invalid_batch_size_of_one_dataset_is_an_error(scheduler: Any, size: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        scheduler({"tweets": 4, "ewt": size})
    assert str(caught.value) == (
        "The batch_size of the dataset 'ewt' must be an integer of at least 1, but got "
        f"{size!r}. Set it to the number of instances in a batch."
    )


@pytest.mark.parametrize("scheduler", HOMOGENEOUS)
def test_a_batch_size_for_an_unknown_dataset_is_an_error(scheduler: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        scheduler({"twets": 4, "ewt": 8}).check_tasks(["tweets", "ewt"])
    assert str(caught.value) == (
        "batch_size must name datasets, but got 'twets'. Did you mean 'tweets'? Known names: "
        "['tweets', 'ewt']."
    )


@pytest.mark.parametrize("scheduler", HOMOGENEOUS)
def test_a_dataset_without_a_batch_size_is_an_error(scheduler: Any) -> None:
    made = scheduler({"tweets": 4, "ewt": 8})
    text = (
        "batch_size must have an entry for every dataset, but has none for 'tweet'. Did you mean "
        "'tweets'? Its keys: ['tweets', 'ewt']. Add an entry."
    )
    for call in (
        lambda: made.check_tasks(["tweets", "ewt", "tweet"]),
        lambda: made.batch_size_of("tweet"),
        lambda: made.count_batches({"tweet": 3}),
        lambda: made.batch_instances(items_of(tweet=3)),
    ):
        with pytest.raises(ConfigurationError) as caught:
            call()
        assert str(caught.value) == text


@pytest.mark.parametrize("scheduler", HOMOGENEOUS)
def test_a_loader_may_have_some_of_the_known_datasets(scheduler: Any) -> None:
    made = scheduler({"tweets": 4, "ewt": 8})
    made.check_tasks(["ewt"], known=["tweets", "ewt"])
    assert made.batch_size_of("ewt") == 8


@pytest.mark.parametrize("scheduler", [RoundRobinScheduler, *HOMOGENEOUS])
def test_a_single_batch_size_is_used_for_all_datasets(scheduler: Any) -> None:
    made = scheduler(3)
    made.check_tasks(["tweets", "ewt"])
    assert made.batch_size_of("tweets") == made.batch_size_of("ewt") == 3


def test_the_scheduler_copies_its_batch_sizes() -> None:
    sizes = {"tweets": 4}
    made = ShuffledScheduler(sizes)
    sizes["tweets"] = 0
    assert made.batch_size_of("tweets") == 4
