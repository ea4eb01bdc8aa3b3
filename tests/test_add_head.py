"""Adding a head to a model."""

from typing import Any, Dict, Sequence

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from multitask_model.weighting import LossWeighting
from tests.helpers.messages import exactly
from tests.helpers.models import TinyHead, make_instance, make_vocab
from tests.helpers.multitask import batch_of
from tests.helpers.task_rows import HEADS, Row, batch_of_rows, make_model


def heads_by_task(model: Any) -> Any:
    return {task: model.tasks.heads_of(task) for task in model.tasks.names}


def test_an_added_head_is_trained_and_reported() -> None:
    model = make_model(task_heads={"ewt": ["upos", "genre"], "tweets": ["polarity"]})
    model.add_head(
        "irony",
        TinyHead(make_vocab()),
        tasks=["tweets", "jokes"],
        loss_weight=3.0,
        arg_name_mapping={"irony_label": "label"},
    )
    instances = [
        make_instance("w1", "tweets", polarity_label="class1", irony_label="class0"),
        make_instance("w2", "jokes", irony_label="class2"),
    ]
    outputs = model(**batch_of(instances))
    expected = 0.5 * outputs["polarity_loss"] + 3.0 * outputs["irony_loss"]
    assert outputs["loss"].item() == pytest.approx(expected.item())
    assert list(model.get_metrics())[-3:] == ["irony_accuracy", "_irony_hidden", "irony_loss"]
    assert "irony_label" in model.make_output_human_readable(outputs)


def test_an_added_head_serves_the_task_of_its_name_by_default() -> None:
    model = make_model()
    model.add_head("irony", TinyHead(make_vocab()), arg_name_mapping={"irony_label": "label"})
    assert list(model.heads) == [*HEADS, "irony"]
    assert model.tasks.heads_of("irony") == ["irony"]
    assert model.router("irony").takes("irony_label")


@pytest.mark.parametrize("tasks", ["tweets", [], ["x", "x"]])
def test_the_tasks_must_be_a_list_of_different_names(tasks: Any) -> None:
    model = make_model()
    message = (
        "tasks must be a list of one or more different tasks that a head serves, but got "
        f"{tasks!r} for 'irony'. List each task once."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        model.add_head("irony", TinyHead(make_vocab()), tasks=tasks)
    assert list(model.heads) == HEADS
    assert heads_by_task(model) == heads_by_task(make_model())


@pytest.mark.parametrize("name", ["upos", "backbone", "a.b"])
def test_an_invalid_name_is_an_error(name: str) -> None:
    model = make_model()
    expected = (
        f"^The name of a head must be a valid name of a module, but got '{name}': .*"
        r"\. Choose another name for this head\.$"
    )
    with pytest.raises(ConfigurationError, match=expected):
        model.add_head(name, TinyHead(make_vocab()))
    assert list(model.heads) == HEADS
    assert heads_by_task(model) == heads_by_task(make_model())


def test_an_added_head_gets_the_mode_of_the_model() -> None:
    for mode in (False, True):
        model, head = make_model().train(mode), TinyHead(make_vocab()).train(not mode)
        model.add_head("irony", head)
        assert head.training is mode
        assert head.linear.training is mode


DEVICES = ["meta", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.mark.parametrize("device", DEVICES)
def test_an_added_head_is_moved_to_the_device_of_the_model(device: str) -> None:
    model, head = make_model().to(device), TinyHead(make_vocab())
    model.add_head("irony", head)
    assert {parameter.device.type for parameter in head.parameters()} == {device}


class RefusingWeighting(LossWeighting):
    """Has no place for a head `irony`."""

    def set_heads(self, names: Sequence[str]) -> None:
        if "irony" in names:
            raise RuntimeError("no weight for 'irony'")

    def forward(self, losses: Dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.stack(list(losses.values())).sum()


def describe(model: Any) -> Any:
    """Returns what a refused head must not change."""
    return list(model.heads), list(model.state_dict()), heads_by_task(model), model.get_metrics()


def trained_model(**kwargs: Any) -> Any:
    model = make_model(per_task_metrics=True, **kwargs)
    rows = [Row("tweets", None, {"polarity": 1}, "w1"), Row("reviews", None, {"polarity": 2}, "w2")]
    model(**batch_of_rows(rows))
    return model


def test_a_head_that_metrics_for_each_task_refuse_changes_nothing() -> None:
    model = trained_model()
    before = describe(model)
    assert "tweets_polarity_accuracy" in before[-1]
    message = (
        "per_task_metrics needs a unique name for each task and head, but got 'tweets_polarity' "
        "for ('tweets', 'polarity') and for the head 'tweets_polarity'. Rename one of them."
    )
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=exactly(message)):
            model.add_head("tweets_polarity", TinyHead(make_vocab()), ["x", "y"])
        assert describe(model) == before
    model.add_head("irony", TinyHead(make_vocab()), ["x", "y"])
    assert list(model.heads) == [*HEADS, "irony"]


def test_a_head_that_the_weighting_refuses_changes_nothing() -> None:
    model = trained_model(loss_weighting=RefusingWeighting())
    before = describe(model)
    with pytest.raises(RuntimeError, match="^no weight for 'irony'$"):
        model.add_head("irony", TinyHead(make_vocab()), ["x", "y"])
    assert describe(model) == before


def test_metrics_that_were_counted_are_kept() -> None:
    model = trained_model()
    before = model.get_metrics()
    model.add_head("irony", TinyHead(make_vocab()), ["tweets", "y"])
    assert model.get_metrics() == before
    assert "tweets_polarity_loss" in before


def test_a_negative_weight_is_an_error_and_changes_nothing() -> None:
    model = make_model()
    with pytest.raises(
        ConfigurationError, match="^loss_weight must have a finite number of at least 0"
    ):
        model.add_head("irony", TinyHead(make_vocab()), loss_weight=-1)
    assert list(model.heads) == HEADS
    assert heads_by_task(model) == heads_by_task(make_model())
