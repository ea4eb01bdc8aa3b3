"""The fast path for batches of one task, which the second batch of a kind takes."""

import copy
import pickle
from typing import Any, Callable, Dict, List

import pytest
import torch
from allennlp.data import Vocabulary
from allennlp.models.heads import Head

from multitask_model import MultiTaskModel, Partial, Whole
from multitask_model.routing.arguments import MAX_BINDINGS, Router
from multitask_model.routing.one_task import MAX_SIZES, OneTaskPath
from multitask_model.routing.output_names import OutputNames
from multitask_model.routing.tasks import TaskHeads
from tests.helpers.messages import exactly
from tests.helpers.models import FixedBackbone, FixedHead, make_batch
from tests.helpers.multitask import fixed_model, number, tiny_model


def run_twice(model: MultiTaskModel, first: Dict[str, Any], second: Dict[str, Any]) -> Any:
    model(**first)
    return model(**second)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_second_batch_has_the_same_outputs_and_gradients(size: int) -> None:
    model = tiny_model()
    twin, batch = copy.deepcopy(model), make_batch(["a"] * size)
    run_twice(model, make_batch(["a", "a"]), make_batch(["a", "a"]))
    found, expected = model(**batch), twin(**batch)
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert torch.equal(found[name], value)
    found["loss"].backward()
    expected["loss"].backward()
    for one, other in zip(model.parameters(), twin.parameters()):
        assert (one.grad is None) == (other.grad is None)
        assert one.grad is None or torch.equal(one.grad, other.grad)


def test_all_heads_of_the_task_run_in_their_order() -> None:
    heads = {name: {"loss": number(value)} for name, value in (("b", 2.0), ("a", 3.0), ("c", 5.0))}
    model = fixed_model(heads=heads, task_heads={"t": ["a", "b"], "u": ["c"]})
    outputs = run_twice(model, {"text": [1], "task": ["t"]}, {"text": [1], "task": ["t"]})
    assert list(outputs) == ["b_loss", "a_loss", "loss"]
    assert outputs["loss"].item() == 5.0
    assert model.get_metrics() == {"b_loss": 2.0, "a_loss": 3.0}


def test_each_batch_is_counted() -> None:
    model = fixed_model(heads={"a": {"loss": number(2.0)}, "b": {}})
    model(text=[1], task=["a"])
    model.head("a").outputs["loss"] = number(5.0)
    model(text=[1, 1, 1], task=["a"] * 3)
    assert model.get_metrics() == {"a_loss": (1 * 2.0 + 3 * 5.0) / 4}


def test_the_only_loss_is_the_joint_loss_itself() -> None:
    model = fixed_model(heads={"a": {"loss": number(2.0)}})
    outputs = run_twice(model, {"text": [1], "task": ["a"]}, {"text": [1], "task": ["a"]})
    assert outputs["loss"] is outputs["a_loss"]


class LabelHead(Head):
    """Changes its label if that has a 0."""

    def forward(self, label: torch.Tensor, words: Any = None) -> Dict[str, Any]:
        if label.eq(0).any():
            label[label == 0] = -100
        return {"sum": label.sum(), "words": words}


def label_model(*heads: str) -> MultiTaskModel:
    return MultiTaskModel(
        Vocabulary(),
        FixedBackbone(),
        {**{name: FixedHead() for name in heads}, "z": LabelHead(Vocabulary())},
        task_heads={"t": [*heads, "z"]},
    )


@pytest.mark.parametrize("others", [[], ["a", "b"]])
@pytest.mark.parametrize("metadata", [{}, {"words": ["x", "y"]}], ids=["tensors", "metadata"])
def test_the_head_that_changes_an_input_is_named(
    others: List[str], metadata: Dict[str, Any]
) -> None:
    model = label_model(*others)
    batch = {"task": ["t", "t"], **metadata}
    message = (
        "A head must not change its arguments in place, because the batch and other heads share "
        "them, but 'z' changed 'label'. Change a copy in forward(), or let the model copy the "
        "inputs of this head: copy_inputs=['z']."
    )
    model(label=torch.tensor([1, 2]), **batch)
    with pytest.raises(ValueError, match=exactly(message)):
        model(label=torch.tensor([1, 0]), **batch)


def test_a_list_is_copied_for_each_batch() -> None:
    model: Any = fixed_model(heads={"a": {}})
    words = ["x", "y"]
    run_twice(
        model,
        {"text": [1, 2], "words": ["v", "w"], "task": ["a", "a"]},
        {"text": [1, 2], "words": words, "task": ["a", "a"]},
    )
    assert model.head("a").calls[1]["words"] == words
    assert model.head("a").calls[1]["words"] is not words


def test_a_whole_value_is_unwrapped() -> None:
    model: Any = fixed_model(heads={"a": {}})
    batch = {"text": [1], "names": Whole(["x", "y"]), "task": ["a"]}
    run_twice(model, batch, batch)
    assert model.head("a").calls[1]["names"] == ["x", "y"]


def test_a_field_that_only_some_rows_have_splits_the_next_batch() -> None:
    model: Any = fixed_model(heads={"a": {}})
    run_twice(
        model,
        {"text": [1, 2], "label": [7, 8], "task": ["a", "a"]},
        {"text": [1, 2], "label": Partial([8], (1,)), "task": ["a", "a"]},
    )
    assert [call.get("label") for call in model.head("a").calls] == [[7, 8], None, [8]]


def test_a_mixed_batch_of_the_same_fields_is_split() -> None:
    model: Any = fixed_model(heads={"a": {}, "b": {}})
    run_twice(
        model, {"text": [1, 2, 3], "task": ["a"] * 3}, {"text": [1, 2, 3], "task": ["a", "b", "a"]}
    )
    assert [call["text"] for call in model.head("a").calls] == [[1, 2, 3], [1, 3]]


def test_the_backbone_may_return_other_outputs_later() -> None:
    model: Any = fixed_model({"x": 1}, heads={"a": {}})
    batch = {"text": [1], "task": ["a"]}
    model(**batch)
    model.backbone.outputs = {"y": 2, "loss": number(3.0)}
    outputs = model(**batch)
    assert list(outputs) == ["y", "backbone_loss", "loss"]
    assert model.head("a").calls[1].keys() == {"text", "task", "y", "loss"}
    assert model(**batch)["backbone_loss"].item() == 3.0


def test_an_output_that_hides_a_field_is_an_error_later() -> None:
    model: Any = fixed_model({"x": 1}, heads={"a": {}})
    batch = {"text": [1], "task": ["a"]}
    model(**batch)
    model.backbone.outputs = {"x": 1, "text": 2}
    with pytest.raises(ValueError, match="got 'text' both as a field of the batch and as an"):
        model(**batch)


@pytest.mark.parametrize("component", ["backbone", "a"])
def test_a_component_must_return_a_mapping_later(component: str) -> None:
    model: Any = fixed_model({"x": 1}, heads={"a": {}})
    model(text=[1], task=["a"])
    module = model.backbone if component == "backbone" else model.head("a")
    module.forward = lambda **kwargs: (1, 2)
    with pytest.raises(ValueError, match=rf"forward\(\) of '{component}' must return a dictionary"):
        model(text=[1], task=["a"])


def test_an_error_names_the_head() -> None:
    model = tiny_model()
    batch = make_batch(["a", "a"])
    model(**batch)
    model.heads["a"].linear = torch.nn.Linear(99, 3)
    with pytest.raises(RuntimeError, match="The layers of the head 'a' must fit the sizes"):
        model(**batch)


def test_a_head_that_is_added_to_the_task_runs() -> None:
    model = fixed_model(heads={"a": {}})
    batch = {"text": [1], "task": ["a"]}
    model(**batch)
    model.add_head("b", FixedHead(x=1), ["a"])
    assert model(**batch) == {"b_x": 1}


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))]
)
def test_a_copy_of_the_model_runs_its_own_heads(duplicate: Callable[..., MultiTaskModel]) -> None:
    model = fixed_model(heads={"a": {"x": 1}})
    batch = {"text": [1], "task": ["a"]}
    model(**batch)
    copied = duplicate(model)
    head: Any = copied.heads["a"]
    head.outputs["x"] = 2
    assert (copied(**batch), model(**batch)) == ({"a_x": 2}, {"a_x": 1})


def test_a_head_that_was_replaced_does_not_run() -> None:
    model = fixed_model(heads={"a": {"x": 1}})
    batch = {"text": [1], "task": ["a"]}
    model(**batch)
    model.heads["a"] = FixedHead(x=2)
    assert model(**batch) == {"a_x": 2}


def test_the_memory_of_the_path_is_bounded() -> None:
    heads: Any = torch.nn.ModuleDict({"a": FixedHead()})
    backbone = FixedBackbone()
    routers = {"backbone": Router("backbone", backbone), "a": Router("a", heads["a"])}
    path = OneTaskPath(heads, TaskHeads(["a"]), routers, OutputNames(["a"]))
    for i in range(MAX_BINDINGS + 3):
        path.learn({"text": [1], f"x{i}": [2], "task": ["a"]}, {})
    assert len(path._plans) <= MAX_BINDINGS
    for size in range(1, MAX_SIZES + 3):
        path.run(backbone, {"text": [1], "x1026": [2], "task": ["a"] * size})
    assert [len(plan.rows) for plan in path._plans.values() if plan.rows] == [2]
