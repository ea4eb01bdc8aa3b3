"""Batches that do not suit the loss weighting."""

import logging
from typing import Any

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.data.data_loaders import multitask_scheduler as allennlp_schedulers
from allennlp.data.data_loaders.multitask_scheduler import MultiTaskScheduler

from multitask_model import MultiTaskModel
from multitask_model.data.schedulers import HomogeneousRoundRobinScheduler, RoundRobinScheduler
from multitask_model.training.weighting_checks import check_loss_weighting
from multitask_model.weighting import GeometricWeighting, MeanWeighting
from tests.helpers.loading import make_loader, messages
from tests.helpers.messages import exactly
from tests.helpers.models import FixedBackbone, FixedHead, make_vocab

HOMOGENEOUS = [
    HomogeneousRoundRobinScheduler(batch_size=2),
    allennlp_schedulers.HomogeneousRoundRobinScheduler(batch_size=2),
]
ERROR = (
    "The loss weighting GeometricWeighting compares the losses of the heads in one batch, but the "
    "scheduler makes batches of one task, and each task has a single head. Use a scheduler that "
    "mixes tasks, such as 'roundrobin', or another loss weighting."
)


def check(scheduler: MultiTaskScheduler, weighting: Any = None, **task_heads: Any) -> None:
    heads = {name: FixedHead() for of_task in task_heads.values() for name in of_task}
    model = MultiTaskModel(
        make_vocab(),
        FixedBackbone(),
        dict(heads),
        task_heads=task_heads,
        loss_weighting=weighting or GeometricWeighting(),
    )
    check_loss_weighting(model, make_loader(dict.fromkeys(task_heads, 2), scheduler))


@pytest.mark.parametrize("scheduler", HOMOGENEOUS)
def test_batches_of_one_head_leave_nothing_to_compare(scheduler: Any) -> None:
    with pytest.raises(ConfigurationError, match=exactly(ERROR)):
        check(scheduler, a=["a"], b=["b"])


def test_tasks_with_some_of_the_heads_are_reported(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        check(HOMOGENEOUS[0], a=["a", "b"], b=["a", "b", "c"])
    assert messages(caplog) == [
        "The loss weighting GeometricWeighting compares the losses of the heads in one batch, but "
        "the scheduler makes batches of one task, and the tasks ['a'] have only some of the heads."
    ]


@pytest.mark.parametrize(
    ("scheduler", "weighting", "task_heads"),
    [
        (HOMOGENEOUS[0], GeometricWeighting(), {"a": ["a", "b"], "b": ["a", "b"]}),
        (HOMOGENEOUS[0], GeometricWeighting(), {"a": ["a"], "b": ["a"]}),
        (HOMOGENEOUS[0], MeanWeighting(), {"a": ["a"], "b": ["b"]}),
        (RoundRobinScheduler(batch_size=2), GeometricWeighting(), {"a": ["a"], "b": ["b"]}),
    ],
    ids=["all_heads", "one_head", "other_weighting", "mixed_batches"],
)
def test_other_batches_are_accepted(
    scheduler: Any, weighting: Any, task_heads: Any, caplog: pytest.LogCaptureFixture
) -> None:
    check(scheduler, weighting, **task_heads)
    assert messages(caplog) == []
