"""Taking the rows of a head from values of any type."""

import collections
import collections.abc
import dataclasses
import types
from typing import Any, Dict, List, NamedTuple, Tuple

import numpy
import pytest
import torch

from multitask_model.routing.partial import Partial, Whole
from multitask_model.routing.rows import (
    AllRows,
    RowGatherer,
    check_rows,
    group_rows,
    select_rows,
)
from multitask_model.routing.tasks import TaskHeads
from tests.helpers.messages import exactly

HEADS = TaskHeads(["a", "b", "c"])


def rows(tasks: List[str]) -> Dict[str, AllRows]:
    return HEADS.rows({"task": tasks})


def take(value: Any, tasks: str = "abab", head: str = "a") -> Any:
    return rows(list(tasks))[head].take(value)


class Pair(NamedTuple):
    first: Any
    second: Any


@dataclasses.dataclass(frozen=True)
class Record:
    tensor: Any
    name: str


def test_the_full_batch_is_the_same_object() -> None:
    tensor = torch.zeros(4, 2)
    value = {"x": [tensor]}
    assert take(value, "aaaa") is value


@pytest.mark.parametrize("tasks", ["abbb", "abab"])
def test_rows_are_copies(tasks: str) -> None:
    tensor = torch.arange(8.0).view(4, 2)
    taken = take(tensor, tasks, head="b")
    expected = [[2.0, 3.0], [4.0, 5.0], [6.0, 7.0]] if tasks == "abbb" else [[2.0, 3.0], [6.0, 7.0]]
    assert taken.tolist() == expected
    taken.zero_()
    assert tensor.tolist() == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 7.0]]


def test_the_rows_of_a_transposed_tensor_are_contiguous() -> None:
    tensor = torch.arange(8.0).view(2, 4).t()
    for tasks in ("aabb", "abab"):
        assert take(tensor, tasks).is_contiguous()


@pytest.mark.parametrize("tasks", ["aabb", "abab"])
def test_the_rows_of_a_sparse_tensor_are_sparse(tasks: str) -> None:
    tensor = torch.eye(4)
    taken = take(tensor.to_sparse(), tasks)
    assert taken.layout == torch.sparse_coo
    assert taken.to_dense().tolist() == take(tensor, tasks).tolist()


def test_rows_that_are_not_contiguous_are_gathered() -> None:
    assert take(torch.arange(8).view(4, 2)).tolist() == [[0, 1], [4, 5]]
    assert take(torch.arange(8).view(4, 2), head="b").tolist() == [[2, 3], [6, 7]]


@pytest.mark.parametrize("tasks", ["abab", "aabb"])
def test_taken_tensors_are_contiguous(tasks: str) -> None:
    tensor = torch.arange(24).view(2, 3, 4).permute(2, 0, 1)
    taken = take(tensor, tasks)
    assert not tensor.is_contiguous()
    assert taken.is_contiguous()
    assert taken.tolist() == tensor[[i for i in range(4) if tasks[i] == "a"]].tolist()


def test_gradients_only_reach_the_taken_rows() -> None:
    tensor = torch.zeros(4, requires_grad=True)
    take(tensor).sum().backward()
    assert tensor.grad is not None
    assert tensor.grad.tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize(
    "value",
    [None, 3, 2.5, "abcd", b"abcd", torch.tensor(7), torch.zeros(3, 4), [1, 2, 3], object],
    ids=str,
)
def test_values_without_rows_are_returned_unchanged(value: Any) -> None:
    assert take(value) is value


def test_a_list_of_metadata_has_one_item_per_row() -> None:
    metadata = [{"id": i} for i in range(4)]
    taken = take(metadata)
    assert taken == [{"id": 0}, {"id": 2}]
    assert taken[0] is metadata[0]


def test_tuples_stay_tuples() -> None:
    assert take((1, 2, 3, 4)) == (1, 3)
    taken = take((torch.arange(4), "x"))
    assert type(taken) is tuple
    assert taken[0].tolist() == [0, 2]


def test_text_field_tensors_keep_their_structure() -> None:
    tokens = torch.arange(8).view(4, 2)
    text = {"tokens": {"tokens": tokens, "lengths": torch.tensor(2)}}
    assert take(text)["tokens"]["tokens"].tolist() == [[0, 1], [4, 5]]
    assert text["tokens"]["tokens"] is tokens


def test_rows_are_taken_at_any_depth() -> None:
    deep = {"x": [({"y": torch.arange(4)}, None), 3]}
    assert take(deep)["x"][0][0]["y"].tolist() == [0, 2]


def test_a_tuple_of_layers_keeps_its_layers() -> None:
    layers = tuple(torch.arange(4) + 10 * i for i in range(4))
    assert [layer.tolist() for layer in take(layers)] == [[0, 2], [10, 12], [20, 22], [30, 32]]


def test_a_list_of_layers_keeps_its_layers() -> None:
    layers = [torch.arange(4) + 10 * i for i in range(4)]
    assert [layer.tolist() for layer in take(layers)] == [[0, 2], [10, 12], [20, 22], [30, 32]]


def test_nested_tuples_of_layers_keep_their_layers() -> None:
    layers = tuple((torch.arange(4), torch.arange(4) + i) for i in range(4))
    taken = take(layers)
    assert len(taken) == 4
    assert [value.tolist() for value in taken[3]] == [[0, 2], [3, 5]]


def test_a_list_of_tensors_of_other_lengths_is_metadata() -> None:
    tensors = [torch.arange(i + 1) for i in range(4)]
    assert [value.tolist() for value in take(tensors)] == [[0], [0, 1, 2]]


@pytest.mark.parametrize(
    "value",
    [
        torch.nn.utils.rnn.pack_sequence([torch.ones(2), torch.ones(1)]),
        torch.nested.nested_tensor([torch.ones(2), torch.ones(1)])
        if hasattr(torch, "nested")
        else torch.nn.utils.rnn.pack_sequence([torch.ones(1)]),
    ],
    ids=["packed", "nested"],
)
def test_values_whose_rows_cannot_be_taken_are_an_error(value: Any) -> None:
    message = (
        "The values that heads take in mixed batches must be tensors, or containers of tensors, "
        f"with one row per instance, but got a {type(value).__name__}, whose rows cannot be taken. "
        "Return a padded tensor, or wrap the value in Whole(...), so that heads get it as it is."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        take(value)


def test_named_tuples_keep_their_fields() -> None:
    taken = rows(["a", "b"])["a"].take(Pair(torch.tensor([1, 2]), "xy"))
    assert taken == Pair(torch.tensor([1]), "xy")
    assert type(taken) is Pair


def test_a_frozen_dataclass_is_copied() -> None:
    record = Record(torch.arange(4), "name")
    taken = take(record)
    assert type(taken) is Record
    assert taken.tensor.tolist() == [0, 2]
    assert record.tensor.tolist() == [0, 1, 2, 3]


def test_an_ordered_dictionary_keeps_its_class() -> None:
    ordered = collections.OrderedDict(x=torch.arange(4))
    taken = take(ordered)
    assert type(taken) is collections.OrderedDict
    assert taken["x"].tolist() == [0, 2]
    assert ordered["x"].tolist() == [0, 1, 2, 3]


class Store(collections.abc.MutableMapping):
    """Stores its items in an attribute, which a shallow copy would share."""

    def __init__(self, **values: Any) -> None:
        self.values_by_name = values

    def __getitem__(self, key: str) -> Any:
        return self.values_by_name[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.values_by_name[key] = value

    def __delitem__(self, key: str) -> None:
        del self.values_by_name[key]

    def __iter__(self) -> Any:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)


@pytest.mark.parametrize("kind", [Store, lambda **v: types.MappingProxyType(v)])
def test_other_mappings_become_dictionaries(kind: Any) -> None:
    mapping = kind(x=torch.arange(4))
    assert take(mapping)["x"].tolist() == [0, 2]
    assert mapping["x"].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(("tasks", "expected"), [("abab", [0, 2]), ("aabb", [0, 1])])
def test_arrays_are_taken_by_row(tasks: str, expected: List[int]) -> None:
    assert take(numpy.arange(4), tasks).tolist() == expected
    assert take(numpy.arange(3), tasks).tolist() == [0, 1, 2]


def test_the_index_of_all_heads_is_made_once_per_device(monkeypatch: pytest.MonkeyPatch) -> None:
    made: List[Any] = []
    make = torch.from_numpy

    def recorded(data: Any) -> torch.Tensor:
        made.append(data.tolist())
        return make(data)

    gatherer = RowGatherer([[0, 2], [1, 3]])
    first, second = torch.arange(4), torch.arange(8).view(4, 2)
    monkeypatch.setattr(torch, "from_numpy", recorded)
    assert gatherer.take(first, 0).tolist() == [0, 2]
    assert gatherer.take(second, 1).tolist() == [[2, 3], [6, 7]]
    assert made == [[0, 2, 1, 3]]


def test_a_tensor_that_requires_grad_is_gathered_once_for_all_heads() -> None:
    found = rows(["a", "b", "a", "b"])
    tensor = torch.zeros(4, 2, requires_grad=True)
    taken: List[Any] = [found["a"].take(tensor), found["b"].take(tensor)]
    assert taken[0].grad_fn is taken[1].grad_fn
    taken[1].add_(1.0)  # a head may change its rows in place
    (taken[0].sum() + 3 * taken[1].sum()).backward()
    assert tensor.grad is not None
    assert tensor.grad.tolist() == [[1, 1], [3, 3], [1, 1], [3, 3]]


@pytest.mark.parametrize("tasks", ["ttuu", "tutu"])
@pytest.mark.parametrize("is_changed_by_a_view", [False, True])
def test_in_inference_mode_no_rows_are_shared(is_changed_by_a_view: bool, tasks: str) -> None:
    heads = TaskHeads(["a", "b", "c"], {"t": ["a", "b"], "u": ["c"]})
    tensor = torch.zeros(4)
    with torch.inference_mode():
        found = heads.rows({"task": list(tasks)})
        taken: Any = found["a"].take(tensor)
        (taken.view(-1) if is_changed_by_a_view else taken).add_(1.0)
        other: Any = found["b"].take(tensor)
    assert other.tolist() == [0, 0]
    assert tensor.tolist() == [0, 0, 0, 0]


def test_the_gradient_of_one_head_is_zero_at_other_rows() -> None:
    found = rows(["a", "b", "a", "b"])
    tensor = torch.zeros(4, requires_grad=True)
    taken: List[Any] = [found["a"].take(tensor), found["b"].take(tensor)]
    for part, expected in zip(taken, ([1, 0, 1, 0], [0, 1, 0, 1])):
        (gradient,) = torch.autograd.grad(part.sum(), tensor, retain_graph=True)
        assert gradient.tolist() == expected


# In the first two, row 2 belongs to two heads.
@pytest.mark.parametrize("groups", [[[0, 2], [1, 2, 3]], [[2], [2]], [[0, 1], [2, 3]], [[0, 3]]])
def test_gathering_is_twice_differentiable(groups: List[List[int]]) -> None:
    tensor = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)

    def gather(tensor: torch.Tensor) -> Tuple[torch.Tensor, ...]:
        gatherer = RowGatherer(groups)
        return tuple(gatherer.take(tensor, group) for group in range(len(groups)))

    assert [part.tolist() for part in gather(tensor)] == [tensor[rows].tolist() for rows in groups]
    assert torch.autograd.gradcheck(gather, (tensor,))
    assert torch.autograd.gradgradcheck(gather, (tensor,))


@pytest.mark.parametrize(
    ("indices", "expected"),
    [((0, 1, 2), [0, 1, 2]), ((1, 2), [1, 2]), ((0, 2), [0, 2]), ((2,), [2])],
)
def test_selected_rows_are_taken(indices: Tuple[int, ...], expected: List[int]) -> None:
    rows_of_three = select_rows(indices, 3)
    assert list(rows_of_three.indices) == expected
    assert rows_of_three.take(["x0", "x1", "x2"]) == [f"x{i}" for i in expected]


def test_rows_are_grouped_by_key_in_order_of_first_appearance() -> None:
    assert list(group_rows(["b", "a", "b", "c"]).items()) == [("b", [0, 2]), ("a", [1]), ("c", [3])]


@pytest.mark.parametrize("tasks", ["ab", "ababab"])
def test_tasks_of_another_number_than_the_rows_are_an_error(tasks: str) -> None:
    available = {"task": list(tasks), "text": {"ids": torch.zeros(4, 3)}, "x": torch.zeros(4)}
    message = (
        f"'task' must have one name for each instance, but got {len(tasks)} names, and no other "
        f"value of the batch or output of the backbone has {len(tasks)} rows. The shapes of the "
        "tensors are {'x': [4]}. Give 'task' the length of the batch."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        check_rows(available, rows(list(tasks)))


@pytest.mark.parametrize(
    "value",
    [
        torch.zeros(2, 3),
        {"ids": torch.zeros(2)},
        numpy.zeros(2),
        ["so", "good"],
        [torch.zeros(2, 3)] * 3,
        Partial(torch.zeros(1), rows=(0,)),
        Whole(torch.zeros(3)),
        Record(torch.zeros(2), "a"),
    ],
)
def test_one_value_with_rows_is_enough(value: Any) -> None:
    check_rows({"x": torch.zeros(4), "value": value}, rows(["a", "b"]))


@pytest.mark.parametrize("tasks", ["aa", "ab"])
def test_rows_are_not_checked_without_tensors_or_parts(tasks: str) -> None:
    x = torch.zeros(4) if tasks == "aa" else torch.zeros(())
    check_rows({"task": list(tasks), "x": x}, rows(list(tasks)))
