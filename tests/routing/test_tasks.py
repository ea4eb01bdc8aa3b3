"""Which heads serve each task, and the rows that they get."""

from typing import Any, Dict, List

import pytest
from allennlp.common.checks import ConfigurationError

from multitask_model.routing.partial import Partial
from multitask_model.routing.rows import AllRows
from multitask_model.routing.tasks import TaskHeads

SHARED = {"ewt": ["upos", "genre"], "tweets": ["polarity"], "reviews": ["polarity", "genre"]}


def shared() -> TaskHeads:
    return TaskHeads(["polarity", "genre", "upos"], SHARED)


def indices(rows: Dict[str, AllRows]) -> Dict[str, List[int]]:
    return {head: list(of_head.indices) for head, of_head in rows.items()}


def test_each_head_has_a_task_of_its_own_by_default() -> None:
    rows = TaskHeads(["a", "b", "c"]).rows({"task": ["c", "a", "c", "b"]})
    assert list(indices(rows).items()) == [("a", [1]), ("b", [3]), ("c", [0, 2])]


def test_several_heads_for_one_task() -> None:
    rows = shared().rows({"task": ["ewt", "ewt"]})
    assert list(indices(rows).items()) == [("genre", [0, 1]), ("upos", [0, 1])]


def test_several_tasks_for_one_head() -> None:
    rows = shared().rows({"task": ["reviews", "ewt", "tweets", "tweets"]})
    assert list(indices(rows).items()) == [
        ("polarity", [0, 2, 3]),
        ("genre", [0, 1]),
        ("upos", [1]),
    ]


def test_heads_with_the_same_rows_share_them() -> None:
    rows = TaskHeads(["a", "b", "c"], {"x": ["a", "b"], "y": ["c"]}).rows({"task": ["x", "y"]})
    assert rows["a"] is rows["b"]


def test_the_heads_of_an_instance_are_narrowed() -> None:
    batch = {"task": ["reviews", "reviews", "tweets"], "heads": [["genre"], None, []]}
    assert indices(shared().rows(batch)) == {"polarity": [1], "genre": [0, 1]}


def test_only_some_instances_narrow_their_heads() -> None:
    batch = {"task": ["reviews", "reviews"], "heads": Partial([["genre"]], (1,))}
    assert indices(shared().rows(batch)) == {"polarity": [0], "genre": [0, 1]}


def test_narrowing_to_a_head_that_does_not_serve_the_task() -> None:
    expected = (
        r"The 'heads' of an instance must be among those that serve its task, but 'genr' does not "
        r"serve 'ewt'\. Did you mean 'genre'\? The heads of 'ewt' are \['genre', 'upos'\]\."
    )
    with pytest.raises(ValueError, match=expected):
        shared().rows({"task": ["ewt"], "heads": [["genr"]]})


def test_unknown_heads() -> None:
    expected = (
        r"task_heads must name heads of the model for task 'ewt', but got 'upso'\. "
        r"Did you mean 'upos'\? Known names: \['upos'\]"
    )
    with pytest.raises(ConfigurationError, match=expected):
        TaskHeads(["upos"], {"ewt": ["upso"]})


@pytest.mark.parametrize("heads", [[], ["upos", "upos"], "upos"])
def test_heads_that_are_no_list_of_different_names(heads: Any) -> None:
    expected = (
        r"a list of one or more different heads, but 'ewt' has .*Name the heads that serve it"
    )
    with pytest.raises(ConfigurationError, match=expected):
        TaskHeads(["upos"], {"ewt": heads})


def test_a_head_that_no_task_reaches_is_warned_of(caplog: Any) -> None:
    TaskHeads(["a", "b"], {"x": ["a"]})
    assert "No task reaches the heads ['b']: they will not be trained." in caplog.text


def test_adding_a_head() -> None:
    tasks = TaskHeads(["a"], {"x": ["a"]})
    tasks.add("b", ["x", "y"])
    assert tasks.by_task == {"x": ["a", "b"], "y": ["b"]}
    assert tasks.tasks_of("b") == ["x", "y"]


def test_missing_task() -> None:
    expected = (
        r"needs a MetadataField 'task' that says which heads serve it, but it has only "
        r"\['text'\]\. A multitask dataset reader adds that field\."
    )
    with pytest.raises(ValueError, match=expected):
        TaskHeads(["a"]).rows({"text": 1})


def test_a_task_that_only_some_instances_have() -> None:
    with pytest.raises(ValueError, match="but only some of its instances do"):
        TaskHeads(["a"]).rows({"task": Partial(["a"], (1,))})


@pytest.mark.parametrize("tasks", [["polarty"] * 2, ["source", "polarty"]])
def test_unknown_task(tasks: List[str]) -> None:
    expected = (
        r"must be one of the model's tasks, but there is the unknown task 'polarty'\. Did you mean "
        r"'polarity'\? The tasks are \['polarity', 'source'\]\."
    )
    with pytest.raises(ValueError, match=expected):
        TaskHeads(["polarity", "source"]).rows({"task": tasks})


@pytest.mark.parametrize("task", [["a"], 0, None])
def test_a_task_that_is_no_string(task: Any) -> None:
    with pytest.raises(ValueError, match="there is the unknown task "):
        TaskHeads(["a"]).rows({"task": [task, task]})


@pytest.mark.parametrize("batch", [{"task": []}, {"task": ["a"], "heads": [[]]}])
def test_a_batch_in_which_no_head_has_anything_to_do(batch: Any) -> None:
    with pytest.raises(ValueError, match=r"no head has anything to do in this one: its '\w+' is"):
        TaskHeads(["a"]).rows(batch)
