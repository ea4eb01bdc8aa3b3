"""The heads of each task, and the rows of each head."""

from typing import Any, Dict, List

import numpy
import pytest
import torch
from allennlp.common.checks import ConfigurationError

from multitask_model.errors import format_value
from multitask_model.routing.partial import Partial
from multitask_model.routing.rows import AllRows
from multitask_model.routing.tasks import TaskHeads, check_tasks
from tests.helpers.messages import exactly

SHARED = {"ewt": ["upos", "genre"], "tweets": ["polarity"], "reviews": ["polarity", "genre"]}


def shared() -> TaskHeads:
    return TaskHeads(["polarity", "genre", "upos"], SHARED)


def indices(rows: Dict[str, AllRows]) -> Dict[str, List[int]]:
    return {head: list(of_head.indices) for head, of_head in rows.items()}


def test_each_head_serves_the_task_of_its_name_by_default() -> None:
    rows = TaskHeads(["a", "b", "c"]).rows({"task": ["c", "a", "c", "b"]})
    assert list(indices(rows).items()) == [("a", [1]), ("b", [3]), ("c", [0, 2])]


def test_several_heads_serve_one_task() -> None:
    rows = shared().rows({"task": ["ewt", "ewt"]})
    assert list(indices(rows).items()) == [("genre", [0, 1]), ("upos", [0, 1])]


def test_one_head_serves_several_tasks() -> None:
    rows = shared().rows({"task": ["reviews", "ewt", "tweets", "tweets"]})
    assert list(indices(rows).items()) == [
        ("polarity", [0, 2, 3]),
        ("genre", [0, 1]),
        ("upos", [1]),
    ]


def test_rows_of_several_tasks_are_in_the_order_of_the_batch() -> None:
    rows = shared().rows({"task": ["reviews", "tweets", "ewt", "reviews", "tweets"]})
    assert indices(rows) == {"polarity": [0, 1, 3, 4], "genre": [0, 2, 3], "upos": [2]}


def test_heads_with_the_same_rows_share_them() -> None:
    rows = TaskHeads(["a", "b", "c"], {"x": ["a", "b"], "y": ["c"]}).rows({"task": ["x", "y"]})
    assert rows["a"] is rows["b"]


def test_the_field_heads_restricts_the_heads_of_an_instance() -> None:
    batch = {"task": ["reviews", "reviews", "tweets"], "heads": [["genre"], None, []]}
    assert indices(shared().rows(batch)) == {"polarity": [1], "genre": [0, 1]}


def test_only_some_instances_may_restrict_their_heads() -> None:
    batch = {"task": ["reviews", "reviews"], "heads": Partial([["genre"]], (1,))}
    assert indices(shared().rows(batch)) == {"polarity": [0], "genre": [0, 1]}


def test_restricting_to_a_head_that_does_not_serve_the_task_is_an_error() -> None:
    message = (
        "The 'heads' of an instance must serve its task, but got 'genr', which does not serve "
        "'ewt'. Did you mean 'genre'? The heads of 'ewt' are ['genre', 'upos']."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        shared().rows({"task": ["ewt"], "heads": [["genr"]]})


NOT_NAMES = (
    "The field 'heads' of each instance must be a MetadataField with a list of names of heads, or "
    "None for all heads of its task, but got {}. Write it as "
    'MetadataField(["NAME"]) in the dataset reader.'
)


@pytest.mark.parametrize("value", ["genre", 3, [3], [None], {"genre": 1}, numpy.array([1])])
@pytest.mark.parametrize("partial", [False, True])
def test_the_field_heads_must_have_lists_of_names(value: Any, partial: bool) -> None:
    heads = Partial([value], (0,)) if partial else [value, None]
    message = NOT_NAMES.format(f"{format_value(value)} for an instance")
    with pytest.raises(ValueError, match=exactly(message)):
        shared().rows({"task": ["ewt", "ewt"], "heads": heads})


@pytest.mark.parametrize(
    ("heads", "found"),
    [
        (torch.tensor([1, 0]), "tensor([1, 0]) for a batch of 2 instances"),
        ([["genre"]], "[['genre']] (1 items) for a batch of 2 instances"),
        ("genre", "'genre' for a batch of 2 instances"),
    ],
)
def test_the_field_heads_must_have_a_value_for_each_instance(heads: Any, found: str) -> None:
    with pytest.raises(ValueError, match=exactly(NOT_NAMES.format(found))):
        shared().rows({"task": ["ewt", "ewt"], "heads": heads})


@pytest.mark.parametrize("names", [("genre",), {"genre"}, frozenset(["genre"])])
def test_the_names_of_heads_may_be_a_tuple_or_a_set(names: Any) -> None:
    assert indices(shared().rows({"task": ["ewt"], "heads": [names]})) == {"genre": [0]}


def test_an_instance_without_a_task_is_served_by_the_heads_that_it_names() -> None:
    batch = {"task": [None, "tweets", None], "heads": [["upos", "polarity"], None, ["genre"]]}
    assert indices(shared().rows(batch)) == {"polarity": [0, 1], "genre": [2], "upos": [0]}


@pytest.mark.parametrize(
    ("names", "found"), [(None, "has no such list"), (["pos"], "got 'pos'. Did you mean 'upos'?")]
)
def test_an_instance_without_a_task_must_name_heads(names: Any, found: str) -> None:
    message = (
        "An instance without a task must have the field 'heads' with a list of heads of the model, "
        f"but {found}{'' if '?' in found else '.'} The heads are ['polarity', 'genre', 'upos']."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        shared().rows({"task": [None], "heads": [names]})


def test_restricted_heads_have_the_order_of_the_model() -> None:
    assert shared().restrict("reviews", ["genre", "polarity"]) == ["polarity", "genre"]
    assert shared().restrict("reviews", None) == ["polarity", "genre"]
    assert shared().restrict("reviews", []) == []


def test_tasks_and_heads_are_public() -> None:
    tasks = shared()
    assert tasks.names == ["ewt", "tweets", "reviews"]
    assert tasks.heads == ["polarity", "genre", "upos"]
    assert tasks.heads_of("ewt") == ["genre", "upos"]
    assert tasks.tasks_of("genre") == ["ewt", "reviews"]
    assert tasks.in_order(["upos", "polarity"]) == ["polarity", "upos"]


def test_an_unknown_head_is_an_error() -> None:
    message = (
        "task_heads must name heads of the model for task 'ewt', but got 'upso'. "
        "Did you mean 'upos'? Known names: ['upos']."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        TaskHeads(["upos"], {"ewt": ["upso"]})


@pytest.mark.parametrize("heads", [[], ["upos", "upos"], "upos"])
def test_heads_must_be_a_list_of_different_names(heads: Any) -> None:
    message = (
        "task_heads must map each task to a list of one or more different heads, but got "
        f"{heads!r} for 'ewt'. List the heads that serve it, or leave the task out."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        TaskHeads(["upos"], {"ewt": heads})


def test_a_head_that_serves_no_task_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    TaskHeads(["a", "b"], {"x": ["a"]})
    assert caplog.messages == [
        "The heads ['b'] serve no task and will not be trained. Add them to task_heads."
    ]


def test_an_added_head_serves_old_and_new_tasks() -> None:
    tasks = TaskHeads(["a"], {"x": ["a"]})
    tasks.add_head("b", ["x", "y"])
    assert {task: tasks.heads_of(task) for task in tasks.names} == {"x": ["a", "b"], "y": ["b"]}
    assert tasks.tasks_of("b") == ["x", "y"]


@pytest.mark.parametrize("tasks", ["tweets", [], ["x", "x"]])
def test_the_tasks_of_a_head_must_be_a_list_of_different_names(tasks: Any) -> None:
    message = (
        "tasks must be a list of one or more different tasks that a head serves, but got "
        f"{tasks!r} for 'irony'. List each task once."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        check_tasks("irony", tasks)


def test_a_batch_without_tasks_is_an_error() -> None:
    message = (
        "Each instance of a batch must have a MetadataField 'task', which selects the heads that "
        "serve it, but the batch has only ['text']. A multitask dataset reader adds this field."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        TaskHeads(["a"]).rows({"text": 1})


def test_a_task_that_only_some_instances_have_is_an_error() -> None:
    message = (
        "Each instance of a batch must have a MetadataField 'task', which selects the heads that "
        "serve it, but only some of them do. A multitask dataset reader adds this field."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        TaskHeads(["a"]).rows({"task": Partial(["a"], (1,))})


@pytest.mark.parametrize("tasks", [["polarty"] * 2, ["source", "polarty"]])
def test_an_unknown_task_is_an_error(tasks: List[str]) -> None:
    message = (
        "The 'task' of each instance must be one of the model's tasks, but got 'polarty'. Did you "
        "mean 'polarity'? The tasks are ['polarity', 'source']. Name it in task_heads of the "
        "model, or correct the name of its dataset reader."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        TaskHeads(["polarity", "source"]).rows({"task": tasks})


@pytest.mark.parametrize("task", [["a"], 0, None])
def test_a_task_must_be_a_string(task: Any) -> None:
    message = (
        f"The 'task' of each instance must be one of the model's tasks, but got {task!r}. "
        "The tasks are ['a']. Name it in task_heads of the model, or correct the name of its "
        "dataset reader."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        TaskHeads(["a"]).rows({"task": [task, task]})


@pytest.mark.parametrize(
    ("batch", "field"), [({"task": []}, "task"), ({"task": ["a"], "heads": [[]]}, "heads")]
)
def test_a_batch_without_rows_for_any_head_is_an_error(batch: Any, field: str) -> None:
    message = (
        "A batch must have at least one instance for one of the heads ['a'], but "
        f"{field!r} is empty in this batch. Leave such batches out."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        TaskHeads(["a"]).rows(batch)


def test_a_string_is_not_a_list_of_tasks() -> None:
    message = (
        "The 'task' of a batch must be a list with one name for each instance, but got the string "
        "'a'. Write ['a'] * B for B instances."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        TaskHeads(["a"]).rows({"task": "a"})
