"""Inputs that heads share: heads that work in place, and values that are not per instance."""

import copy
from typing import Any, Dict, List

import numpy
import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.models.heads import Head
from allennlp.modules import Backbone

from multitask_model import MultiTaskModel, Partial, Whole
from multitask_model.routing.arguments import MAX_BINDINGS, Router
from multitask_model.routing.inputs import copy_input, versions, works_in_place
from tests.helpers.messages import exactly
from tests.helpers.models import FixedBackbone, FixedHead

SHARED = {"t": ["a", "b"]}


class Encoder(Backbone):
    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(2, 2)

    def forward(self, x: torch.Tensor) -> Dict[str, torch.Tensor]:  # type: ignore[override]
        return {"encoded": torch.tanh(self.linear(x))}


class Plain(Head):
    def forward(self, encoded: torch.Tensor) -> Dict[str, torch.Tensor]:
        return {"sum": encoded.sum(-1), "loss": encoded.square().mean()}


class InPlaceModule(Plain):
    """Begins with a module that works in place."""

    def __init__(self, vocab: Vocabulary) -> None:
        super().__init__(vocab)
        self.relu = torch.nn.ReLU(inplace=True)

    def forward(self, encoded: torch.Tensor) -> Dict[str, torch.Tensor]:
        return super().forward(self.relu(encoded))


class InPlaceCode(Plain):
    """Changes its label, and sorts a list."""

    def forward(  # type: ignore[override]
        self, encoded: torch.Tensor, label: torch.Tensor, words: Any = None
    ) -> Dict[str, torch.Tensor]:
        label[label == 0] = -100
        if words is not None:
            words.sort()
        return super().forward(encoded)


def make_model(first: Any, **kwargs: Any) -> MultiTaskModel:
    torch.manual_seed(0)
    vocab = Vocabulary()
    return MultiTaskModel(vocab, Encoder(), {"a": first(vocab), "b": Plain(vocab)}, **kwargs)


def make_batch(tasks: List[str]) -> Dict[str, Any]:
    x = torch.linspace(-1, 1, 2 * len(tasks)).view(-1, 2)
    return {"x": x, "label": torch.zeros(len(tasks)).long(), "task": tasks}


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(inplace=True)), True),
        (torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU()), False),
    ],
    ids=["in place", "copies"],
)
def test_modules_that_work_in_place_are_found(module: torch.nn.Module, expected: bool) -> None:
    assert works_in_place(module) is expected


def test_a_module_that_works_in_place_does_not_change_the_input_of_the_next_head() -> None:
    plain = make_model(Plain, task_heads=SHARED)(**make_batch(["t"] * 4))
    in_place = make_model(InPlaceModule, task_heads=SHARED)(**make_batch(["t"] * 4))
    assert torch.equal(plain["b_sum"], in_place["b_sum"])
    assert torch.equal(plain["encoded"], in_place["encoded"])


@pytest.mark.parametrize("tasks", ["aaaa", "aabb", "abab"])
def test_a_module_that_works_in_place_trains_in_any_order_of_instances(tasks: str) -> None:
    model = make_model(InPlaceModule)
    model(**make_batch(list(tasks)))["loss"].backward()
    assert all(p.grad is not None for p in model.backbone.parameters())


@pytest.mark.parametrize("tasks", ["aaaa", "aabb", "abab"])
def test_a_head_that_changes_an_input_is_an_error_in_any_order_of_instances(tasks: str) -> None:
    message = (
        "A head must not change its arguments in place, because the batch and other heads share "
        "them, but 'a' changed 'label'. Change a copy in forward(), or let the model copy the "
        "inputs of this head: copy_inputs=['a']."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        make_model(InPlaceCode)(**make_batch(list(tasks)))


@pytest.mark.parametrize("tasks", ["aaaa", "aabb", "abab"])
def test_with_copies_a_head_may_change_its_inputs(tasks: str) -> None:
    batch = make_batch(list(tasks))
    before = copy.deepcopy(batch)
    make_model(InPlaceCode, copy_inputs=["a"])(**batch)
    assert torch.equal(batch["label"], before["label"])


def test_a_head_may_sort_a_list_of_metadata() -> None:
    batch = {**make_batch(["a", "a"]), "words": ["z", "y"]}
    make_model(InPlaceCode, copy_inputs=["a"])(**batch)
    assert batch["words"] == ["z", "y"]


def test_a_list_is_never_shared() -> None:
    head = FixedHead()
    model = MultiTaskModel(Vocabulary(), FixedBackbone(), {"a": head})
    words = ["z", "y"]
    model(text=[1, 2], task=["a", "a"], words=words)
    assert head.calls[0]["words"] == words
    assert head.calls[0]["words"] is not words


def test_copy_inputs_must_name_components() -> None:
    message = (
        "copy_inputs must name 'backbone' or a head, but got 'c'. Known names: "
        "['backbone', 'a', 'b']."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        make_model(Plain, copy_inputs=["c"])


def test_a_copy_shares_nothing() -> None:
    value = {"x": [torch.ones(2), (numpy.ones(2), "s")]}
    copied: Any = copy_input(value)
    copied["x"][0].zero_()
    copied["x"][1][0][:] = 0
    assert value["x"][0].tolist() == [1.0, 1.0]  # type: ignore[attr-defined]
    assert value["x"][1][0].tolist() == [1.0, 1.0]  # type: ignore[index]


def test_tensors_of_inference_mode_have_no_versions() -> None:
    with torch.inference_mode():
        assert versions({"x": torch.ones(2)}) == [-1]
        assert make_model(Plain)(**make_batch(["a", "b"]))["a_sum"].shape == (1,)


@pytest.mark.parametrize("tasks", ["aa", "ab"])
def test_a_whole_output_is_passed_as_it_is(tasks: str) -> None:
    weights = torch.tensor([0.2, 0.8])
    heads = {"a": FixedHead(), "b": FixedHead()}
    model = MultiTaskModel(Vocabulary(), FixedBackbone(weights=Whole(weights)), {**heads})
    model(text=[1, 2], task=list(tasks))
    assert heads["a"].calls[0]["weights"] is weights
    assert heads["a"].calls[0]["text"] == [1, 2][: tasks.count("a")]


def test_a_whole_field_is_passed_as_it_is() -> None:
    names = ["x", "y"]
    heads = {"a": FixedHead(), "b": FixedHead()}
    backbone = FixedBackbone()
    model = MultiTaskModel(
        Vocabulary(), backbone, {**heads}, arg_name_mapping={"backbone": {"names": "text"}}
    )
    model(names=Whole(names), task=["a", "b"])
    assert heads["b"].calls[0]["names"] is names
    assert backbone.calls[0]["text"] is names


class KwargsBackbone(Backbone):
    def forward(self, **kwargs: Any) -> Dict[str, Any]:
        return {"fields": Whole(sorted(kwargs))}


def test_a_field_that_some_instances_lack_is_an_error_for_a_backbone_with_kwargs() -> None:
    mapping = {"backbone": {"question": "text"}}
    heads: Dict[str, Head] = {"a": FixedHead()}
    model = MultiTaskModel(Vocabulary(), KwargsBackbone(), heads, arg_name_mapping=mapping)
    with pytest.raises(ValueError, match="for its argument 'text' only 1 of the 2 instances"):
        model(question=Partial([1], (0,)), task=["a", "a"])


def test_different_field_names_do_not_fill_the_memory_of_a_router() -> None:
    router = Router("a", Plain(Vocabulary()))
    for i in range(5000):
        assert router.bind(("encoded", f"field{i}")) == {"encoded": "encoded"}
        assert router.bind_selected(("encoded", f"field{i}")) == {"encoded": "encoded"}
    assert len(router._bindings) <= MAX_BINDINGS


@pytest.mark.parametrize("component", ["backbone", "a"])
def test_a_component_that_does_not_return_a_mapping_is_an_error(component: str) -> None:
    class Tuples(FixedHead):
        def forward(self, **kwargs: Any) -> Any:  # type: ignore[override]
            return (1, 2)

    class TupleBackbone(FixedBackbone):
        def forward(self, text: Any = None) -> Any:  # type: ignore[override]
            return (1, 2)

    backbone = TupleBackbone() if component == "backbone" else FixedBackbone()
    model = MultiTaskModel(Vocabulary(), backbone, {"a": Tuples()})
    message = (
        f"forward() of '{component}' must return a dictionary of outputs, but got a tuple. Return "
        "{NAME: VALUE}."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        model(text=[1], task=["a"])


class NamingHead(FixedHead):
    """Returns the names of its classes, and reads them back."""

    def forward(self, label: Any = None, **kwargs: Any) -> Dict[str, Any]:  # type: ignore[override]
        return {"names": Whole(["no", "yes", "maybe"]), "index": [1] * len(kwargs["words"])}

    def make_output_human_readable(self, output_dict: Dict[str, Any]) -> Dict[str, Any]:
        names = output_dict["names"].value
        return {**output_dict, "label": [names[i] for i in output_dict["index"]]}


@pytest.mark.parametrize("rows", [(0,), (0, 2), (0, 1, 2)])
def test_a_whole_output_of_a_head_stays_whole_for_partly_labeled_rows(rows: Any) -> None:
    model = MultiTaskModel(Vocabulary(), FixedBackbone(), {"a": NamingHead()})
    label = Partial(list(rows), rows) if len(rows) < 3 else list(rows)
    outputs: Any = model(words=["x", "y", "z"], task=["a"] * 3, label=label)
    assert outputs["a_names"] == Whole(["no", "yes", "maybe"])
    assert outputs["a_index"] == [1, 1, 1]
    assert model.make_output_human_readable(outputs)["a_label"] == ["yes"] * 3


def test_a_changed_label_is_an_error_in_inference_mode_too() -> None:
    batch = make_batch(["a", "a"])
    with torch.inference_mode(), pytest.raises(ValueError, match="'a' changed 'label'"):
        make_model(InPlaceCode)(**batch)
