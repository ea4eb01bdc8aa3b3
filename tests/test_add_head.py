"""Adding a head to a model."""

from typing import Any

import pytest
from allennlp.common.checks import ConfigurationError

from tests.helpers.messages import exactly
from tests.helpers.models import TinyHead, make_instance, make_vocab
from tests.helpers.multitask import batch_of
from tests.helpers.task_rows import HEADS, make_model


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
