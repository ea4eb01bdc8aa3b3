"""`MultiTaskModel.forward`: the arguments that components get, and the outputs."""

import copy
import pickle
from typing import Any, Dict, List

import pytest
import torch
from allennlp.models.heads import Head

from multitask_model import MultiTaskModel
from tests.helpers.messages import exactly
from tests.helpers.models import TinyBackbone, make_batch, make_vocab
from tests.helpers.multitask import fixed_model, tiny_model

# --- arguments


def test_a_head_gets_the_fields_and_encodings_of_its_rows() -> None:
    model = fixed_model({"x": torch.arange(3)}, {"a": {}, "b": {}})
    text = {"tokens": {"tokens": torch.arange(6).view(3, 2)}}
    model(text=text, task=["a", "b", "a"], meta=[{"i": 0}, {"i": 1}, {"i": 2}], flag=None)
    (arguments,) = model.head("a").calls
    assert arguments["x"].tolist() == [0, 2]
    assert arguments["text"]["tokens"]["tokens"].tolist() == [[0, 1], [4, 5]]
    assert arguments["meta"] == [{"i": 0}, {"i": 2}]
    assert arguments["task"] == ["a", "a"]
    assert arguments["flag"] is None


def test_two_heads_may_take_the_same_text() -> None:
    model = fixed_model(heads={"a": {}, "b": {}})
    model(text={"t": {"t": torch.arange(4)}}, task=["a", "b", "a", "b"])
    assert model.head("a").calls[0]["text"]["t"]["t"].tolist() == [0, 2]
    assert model.head("b").calls[0]["text"]["t"]["t"].tolist() == [1, 3]


def test_the_backbone_gets_the_full_batch_by_the_mapped_name() -> None:
    model = fixed_model(
        heads={"a": {}, "b": {}},
        arg_name_mapping={"backbone": {"question": "text", "review": "text"}},
    )
    model(question=[1, 2], task=["a", "b"])
    model(review=[3], task=["b"])
    assert model.backbone.calls == [{"text": [1, 2]}, {"text": [3]}]


def test_two_fields_for_one_argument_of_the_backbone_are_an_error() -> None:
    mapping = {"backbone": {"question": "text", "review": "text"}}
    model = fixed_model(arg_name_mapping=mapping)
    message = (
        "'backbone' got duplicate argument text: an argument takes one value per batch, but "
        "['question', 'review'] all map to it in this batch. Keep these inputs in separate "
        "batches, or change arg_name_mapping."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        model(question=[1], review=[2], task=["a"])


def test_a_missing_argument_is_an_error_before_the_call() -> None:
    model = tiny_model()
    batch = make_batch(["a"])
    batch["txt"] = batch.pop("text")
    message = (
        "'backbone' requires the argument 'text', but only ['task', 'label', 'txt'] are available "
        "to it (after arg_name_mapping). Did you mean 'txt'? Add it in the dataset reader, or map "
        "an available name to it: arg_name_mapping={'backbone': {NAME: 'text'}}."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        model(**batch)


def test_allowed_arguments_of_one_head_do_not_change_the_others() -> None:
    model = tiny_model(allowed_arguments={"a": {"encoded_text", "encoded_text_mask"}})
    outputs = model(**make_batch(["a", "b"]))
    assert "a_loss" not in outputs
    assert "b_loss" in outputs


def test_a_field_with_the_name_of_an_encoding_is_an_error() -> None:
    model = fixed_model({"x": torch.zeros(1)})
    message = (
        "The values that heads take must have different names, but got 'x' both as a field of the "
        "batch and as an output of the backbone. Rename the field in the dataset reader or the "
        "output in the backbone."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        model(text=[1], task=["a"], x=[1])


@pytest.mark.parametrize(("tasks", "unknown"), [(["a", "c"], "c"), (["backbone"], "backbone")])
def test_an_unknown_task_is_an_error(tasks: List[str], unknown: str) -> None:
    message = (
        f"The 'task' of each instance must be one of the model's tasks, but got {unknown!r}. "
        "The tasks are ['a', 'b']. Name it in task_heads of the model, or correct the name of its "
        "dataset reader."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        tiny_model()(**make_batch(tasks))


@pytest.mark.parametrize("tasks", [["a"] * 4, ["a", "b", "a", "b"], ["a", "a", "b", "b"]])
def test_the_batch_is_not_changed(tasks: List[str]) -> None:
    batch = make_batch(tasks)
    batch["metadata"] = [{"words": ["x"]} for _ in tasks]
    before = copy.deepcopy(batch)
    tiny_model()(**batch)["loss"].backward()
    ids, ids_before = (b["text"]["tokens"]["tokens"] for b in (batch, before))
    assert torch.equal(ids, ids_before)
    assert torch.equal(batch["label"], before["label"])
    assert {k: batch[k] for k in ("task", "metadata")} == {
        k: before[k] for k in ("task", "metadata")
    }
    assert batch.keys() == before.keys()


# --- outputs


def test_outputs_are_prefixed_and_in_the_order_of_the_heads() -> None:
    outputs = tiny_model("ba")(**make_batch(["a", "b"]))
    expected = ["encoded_text", "encoded_text_mask", "b_logits", "b_loss", "a_logits", "a_loss"]
    assert list(outputs) == [*expected, "loss"]


def test_outputs_of_two_heads_with_the_same_name_are_an_error() -> None:
    model = fixed_model(heads={"a": {"b_x": 1}, "a_b": {"x": 2}})
    message = (
        "Every output of the model must have a unique name, but 'a_b_x' is an output of 'a' and of "
        "'a_b' (which calls it 'x'). Rename a head, or one of the outputs."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        model(text=[1, 2], task=["a", "a_b"])


def test_an_output_of_a_head_with_the_name_of_an_encoding_is_an_error() -> None:
    model = fixed_model({"a_x": 1}, {"a": {"x": 2}})
    message = (
        "Every output of the model must have a unique name, but 'a_x' is an output of 'backbone' "
        "and of 'a' (which calls it 'x'). Rename a head, or one of the outputs."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        model(text=[1], task=["a"])


def test_the_component_of_each_output_is_known() -> None:
    model = tiny_model()
    outputs = model(**make_batch(["a", "b"]))
    assert {name: model.component_of_output(name) for name in outputs} == {
        **{"encoded_text": "backbone", "encoded_text_mask": "backbone"},
        **{"a_logits": "a", "a_loss": "a", "b_logits": "b", "b_loss": "b", "loss": None},
    }


def test_a_mixed_batch_equals_separate_batches() -> None:
    tasks = ["a", "b", "b", "a", "c"]
    model = tiny_model("abc")
    batch = make_batch(tasks)
    mixed = model(**batch)
    for head in "abc":
        rows = torch.tensor([i for i, task in enumerate(tasks) if task == head])
        ids = batch["text"]["tokens"]["tokens"][rows]
        alone = model(
            text={"tokens": {"tokens": ids}}, label=batch["label"][rows], task=[head] * len(rows)
        )
        assert torch.allclose(mixed[f"{head}_logits"], alone[f"{head}_logits"], atol=1e-7)
        assert torch.allclose(mixed[f"{head}_loss"], alone["loss"], atol=1e-7)


# --- copies, devices and wrappers


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))]
)
def test_a_copy_computes_the_same_and_is_independent(duplicate: Any) -> None:
    model = tiny_model(loss_weights={"a": 2.0})
    batch = make_batch(["a", "b", "a"])
    expected = model(**batch)["loss"].item()
    other = duplicate(model)
    assert other.get_metrics(reset=True) == model.get_metrics(reset=True)
    assert other(**batch)["loss"].item() == expected
    assert len(other.get_metrics()) == 6
    torch.nn.init.zeros_(other.head("a").linear.weight)
    assert model(**batch)["loss"].item() == expected


class SyncFreeHead(Head):
    """A head without AllenNLP's metrics, which synchronize with the device."""

    def __init__(self) -> None:
        super().__init__(make_vocab())
        self.linear = torch.nn.Linear(6, 1)

    def forward(self, encoded_text: torch.Tensor, label: Any = None) -> Any:
        return {"loss": (self.linear(encoded_text).sum((1, 2)) - label).sum()}


@pytest.mark.parametrize("tasks", [["a"] * 4, ["a", "b", "a", "b"], ["a", "a", "b", "b"]])
def test_forward_does_not_synchronize_with_the_device(tasks: List[str]) -> None:
    # Reading a value from the meta device is an error.
    heads: Dict[str, Head] = {"a": SyncFreeHead(), "b": SyncFreeHead()}
    model = MultiTaskModel(make_vocab(), TinyBackbone(), heads).to("meta")
    batch = make_batch(tasks)
    batch["label"] = batch["label"].to("meta")
    batch["text"]["tokens"]["tokens"] = batch["text"]["tokens"]["tokens"].to("meta")
    loss = model(**batch)["loss"]
    assert loss.device.type == "meta"
    assert loss.shape == ()


def test_wrapped_components_compute_the_same() -> None:
    model = tiny_model()
    batch = make_batch(["a", "b", "a"])
    expected = model(**batch)
    metrics = model.get_metrics(reset=True)
    backbone: Any = torch.nn.DataParallel(model.backbone)
    heads: Any = {name: torch.nn.DataParallel(head) for name, head in model.heads.items()}
    wrapped = MultiTaskModel(make_vocab(), backbone, heads)
    outputs = wrapped(**batch)
    assert outputs["loss"].item() == expected["loss"].item()
    assert wrapped.get_metrics() == metrics
    assert (
        wrapped.make_output_human_readable(outputs)["a_label"]
        == (model.make_output_human_readable(expected)["a_label"])
    )


def test_a_head_is_returned_without_its_wrapper() -> None:
    model = tiny_model("a")
    inner = model.head("a")
    heads: Any = {"a": torch.nn.DataParallel(inner)}
    wrapped = MultiTaskModel(make_vocab(), TinyBackbone(), heads)
    assert wrapped.head("a") is inner
    assert wrapped.heads["a"] is heads["a"]


class MeanHead(Head):
    """Its loss is the mean of its input, and it has no metrics."""

    def __init__(self) -> None:
        super().__init__(make_vocab())

    def forward(self, encoded_text: torch.Tensor) -> Any:
        return {"loss": encoded_text.mean()}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(torch, "compile"), reason="torch.compile came with torch 2")
def test_a_compiled_model_is_not_compiled_again_in_each_step() -> None:
    graphs: List[Any] = []

    def backend(graph: Any, example_inputs: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    heads: Dict[str, Head] = {"a": MeanHead(), "b": MeanHead()}
    model = MultiTaskModel(make_vocab(), TinyBackbone(), heads)
    compiled: Any = torch.compile(model, backend=backend)
    losses = [compiled(**make_batch(["a"] * 4, seed=seed))["loss"].item() for seed in range(12)]
    assert len(graphs) <= 3
    assert model.get_metrics() == {"a_loss": pytest.approx(sum(losses) / 12)}
