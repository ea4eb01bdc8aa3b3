"""The options for all tasks: their values, errors and warnings at construction."""

import pytest
from allennlp.data.data_loaders import multitask_scheduler
from allennlp.data.data_loaders.multitask_epoch_sampler import UniformSampler

from multitask_model.data.schedulers import HomogeneousRoundRobinScheduler, RoundRobinScheduler
from tests.helpers.loading import epoch, flat, loader_error, make_loader, messages
from tests.helpers.schedulers import PairScheduler


def test_neither_a_scheduler_nor_a_batch_size_is_an_error() -> None:
    assert loader_error(None) == (
        "A multitask loader requires either a scheduler or a batch_size, but got neither. With a "
        "batch_size, the scheduler is 'shuffled'."
    )


def test_both_a_scheduler_and_a_batch_size_are_an_error() -> None:
    assert loader_error(RoundRobinScheduler(2), batch_size=2) == (
        "A multitask loader requires either a scheduler or a batch_size, but got both. With a "
        "batch_size, the scheduler is 'shuffled'. In place of the option --batch-size, override "
        "the batch_size of the scheduler: --overrides '{\"data_loader.scheduler.batch_size\": 8}' "
        "or, if the config has a validation_data_loader, that of its scheduler."
    )


def test_instances_per_epoch_without_a_sampler_is_an_error() -> None:
    assert loader_error(instances_per_epoch=3) == (
        "instances_per_epoch requires a sampler, which sets the proportion of each dataset, but "
        "got none. Add one, such as 'proportional', or remove instances_per_epoch."
    )


def test_invalid_instances_per_epoch_are_an_error() -> None:
    assert loader_error(sampler=UniformSampler(), instances_per_epoch=0) == (
        "instances_per_epoch must be an integer of at least 1, but got 0. Correct it, or remove it "
        "to use every instance once."
    )


def test_a_sampler_without_instances_per_epoch_is_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    make_loader({"a": 1}, sampler=UniformSampler())
    assert messages(caplog) == [
        "The sampler (UniformSampler) has no effect without instances_per_epoch: each epoch has "
        "every instance once. Set instances_per_epoch, or remove the sampler."
    ]


def test_buckets_without_shuffling_keep_the_order_of_training() -> None:
    loader = make_loader({"a": 5}, sorting_keys=["text"], shuffle=False)
    assert flat(epoch(loader)) == ["a0", "a1", "a2", "a3", "a4"]


def test_a_missing_batch_size_is_an_error() -> None:
    assert loader_error(HomogeneousRoundRobinScheduler({"a": 2})) == (
        "batch_size must have an entry for every dataset, but has none for 'b'. Its keys: ['a']. "
        "Add an entry."
    )
    theirs = multitask_scheduler.HomogeneousRoundRobinScheduler({"a": 2})
    assert loader_error(theirs) == (
        "The scheduler must have a batch size for every dataset, but got batch_size={'a': 2} of "
        "HomogeneousRoundRobinScheduler, without one for 'b'. Add it, or add a method "
        "batch_size_of(task) to the class."
    )


def test_buckets_for_a_scheduler_without_a_batch_size_are_an_error() -> None:
    assert loader_error(PairScheduler(), sorting_keys=["text"]) == (
        "The scheduler must have a batch size for every dataset, but got batch_size=None of "
        "PairScheduler, without one for 'a'. Add it, or add a method batch_size_of(task) to the "
        "class."
    )


def test_a_batch_size_for_a_task_without_data_is_ignored() -> None:
    loader = make_loader({"a": 3}, batch_size={"a": 2, "c": 5})
    assert len(loader) == 2
