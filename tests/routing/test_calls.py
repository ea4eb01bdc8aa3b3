"""Calling the backbone and the heads, which equals a plain loop over the instances of each head."""

from typing import Any, Dict, List, Optional

import pytest
import torch
from allennlp.data import Instance
from allennlp.data.fields import SequenceLabelField
from allennlp.models.heads import Head
from hypothesis import given, settings
from hypothesis import strategies as st

from multitask_model import MultiTaskModel
from multitask_model.routing.arguments import Router
from multitask_model.routing.calls import (
    available_to_heads,
    call_backbone,
    call_head,
    scalar_loss,
)
from multitask_model.routing.partial import Partial
from multitask_model.routing.rows import AllRows
from tests.helpers.messages import exactly
from tests.helpers.models import (
    CLASSES,
    DIM,
    FixedBackbone,
    TinyBackbone,
    TinyHead,
    make_instance,
    make_vocab,
)
from tests.helpers.multitask import batch_of, record_calls
from tests.helpers.task_rows import (
    HEADS,
    TASK_HEADS,
    Row,
    batch_of_rows,
    make_model,
    outputs_by_loop,
)


@st.composite
def row(draw: Any) -> Row:
    task = draw(st.sampled_from(sorted(TASK_HEADS)))
    heads = draw(st.none() | st.lists(st.sampled_from(TASK_HEADS[task]), unique=True))
    labels = draw(st.dictionaries(st.sampled_from(HEADS), st.integers(0, CLASSES - 1)))
    words = draw(st.lists(st.integers(0, 9), min_size=1, max_size=4))
    return Row(task, heads, labels, " ".join(f"w{i}" for i in words))


rows_of_any_head = st.lists(row(), min_size=1, max_size=7).filter(
    lambda rows: any(r.is_served_by(head) for r in rows for head in HEADS)
)


def gradients(model: Any, loss: torch.Tensor) -> Dict[str, torch.Tensor]:
    model.zero_grad()
    loss.backward()
    return {
        n: torch.zeros_like(p) if p.grad is None else p.grad.clone()
        for n, p in model.named_parameters()
    }


def assert_equal(model: Any, rows: List[Row], expected: Dict[str, Any]) -> None:
    """Asserts that the model has these outputs and losses, and the gradients of that loss."""
    found = model(**batch_of_rows(rows))
    own = {key: value for key, value in found.items() if not key.startswith("encoded")}
    assert own.keys() == expected.keys()
    for key, value in expected.items():
        torch.testing.assert_close(own[key], value, msg=key, rtol=1e-5, atol=1e-6)
    if "loss" in expected:
        found_gradients = gradients(model, found["loss"])
        for name, gradient in gradients(model, expected["loss"]).items():
            torch.testing.assert_close(
                found_gradients[name], gradient, msg=name, rtol=1e-4, atol=1e-6
            )


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(data=st.data(), reduction=st.sampled_from(["heads", "instances"]))
def test_random_task_heads_equal_a_loop(data: Any, reduction: str) -> None:
    heads_of_a_task = st.lists(st.sampled_from(HEADS), min_size=1, unique=True)
    task_heads = data.draw(st.dictionaries(st.sampled_from("xyz"), heads_of_a_task, min_size=1))
    tasks = data.draw(st.lists(st.sampled_from(sorted(task_heads)), min_size=1, max_size=6))
    model = make_model(task_heads=task_heads, loss_reduction=reduction)
    rows = [Row(task, None, {head: len(head) % 3 for head in HEADS}, "w1 w2") for task in tasks]
    assert_equal(model, rows, outputs_by_loop(model, rows, reduction, task_heads))


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(rows=rows_of_any_head, reduction=st.sampled_from(["heads", "instances"]))
def test_random_batches_equal_a_loop(rows: List[Row], reduction: str) -> None:
    model = make_model(loss_reduction=reduction)
    assert_equal(model, rows, outputs_by_loop(model, rows, reduction))


def test_the_backbone_encodes_a_batch_once_for_all_heads() -> None:
    model = make_model()
    calls = record_calls(model.backbone)
    rows = [Row("ewt", None, {"upos": 1}, "w1"), Row("reviews", None, {"genre": 2}, "w2 w3")]
    model(**batch_of_rows(rows))
    assert len(calls) == 1
    # Heads that had no label have no metrics.
    names = {name for name in model.get_metrics() if name.endswith("_accuracy")}
    assert names == {"upos_accuracy", "genre_accuracy"}


def test_the_backbone_encodes_any_tasks_and_labels_in_one_batch() -> None:
    model = make_model().eval()
    calls = record_calls(model.backbone)
    rows = [
        Row("ewt", None, {}, "w1"),
        Row("reviews", ["genre"], {"genre": 1}, "w2 w3"),
        Row("tweets", None, {"polarity": 0}, "w4"),
    ]
    found = model.forward_on_instances([r.instance() for r in rows])
    assert len(calls) == 1
    labels = [sorted(key for key in outputs if key.endswith("_label")) for outputs in found]
    assert labels == [["genre_label", "upos_label"], ["genre_label"], ["polarity_label"]]


@pytest.mark.parametrize("labels", [[{}, {"polarity": 1}], [{"polarity": 1}, {}]])
def test_a_head_with_labels_for_some_rows_is_called_twice(labels: List[Dict[str, int]]) -> None:
    model = make_model()
    calls = record_calls(model.head("polarity"))
    rows = [Row("tweets", None, found, f"w{i}") for i, found in enumerate(labels)]
    outputs = model(**batch_of_rows(rows))
    assert len(calls) == 2
    assert outputs["polarity_logits"].shape == (2, CLASSES)
    assert model.get_metrics()["polarity_loss"] == pytest.approx(outputs["polarity_loss"].item())


class LabelEcho(Head):
    """Returns the labels that it gets, if any."""

    def __init__(self, **outputs: Any) -> None:
        super().__init__(make_vocab())
        self.outputs = outputs

    def forward(self, encoded_text: torch.Tensor, label: Any = None) -> Dict[str, Any]:
        words = ["word"] * len(encoded_text)
        return {"words": words, **({} if label is None else {"echo": label}), **self.outputs}


def echo_model(**outputs: Any) -> Any:
    return MultiTaskModel(make_vocab(), TinyBackbone(), {"a": LabelEcho(**outputs)})


def test_only_labeled_instances_get_an_output_of_labeled_rows() -> None:
    instances = [
        make_instance("w1", "a"),
        make_instance("w2", "a", label="class2"),
        make_instance("w3", "a", label="class1"),
    ]
    found = echo_model().forward_on_instances(instances)
    assert [outputs.get("a_echo") for outputs in found] == [None, 2, 1]
    assert [outputs["a_words"] for outputs in found] == ["word"] * 3


def test_outputs_of_several_calls_that_cannot_be_merged_are_an_error() -> None:
    instances = [make_instance("w1", "a"), make_instance("w2", "a", label="class2")]
    message = (
        "'a' is called once for each set of fields that its instances have, so each of its outputs "
        "must be a number or have one row per instance, but got a Tensor for 'odd' that is "
        "neither. Change that output, or set the heads of each instance in a 'heads' field."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        echo_model(odd=torch.zeros(7)).forward_on_instances(instances)


class NeedsLabel(TinyHead):
    def forward(  # type: ignore[override]
        self, encoded_text: Any, encoded_text_mask: Any, label: Any
    ) -> Any:
        return super().forward(encoded_text, encoded_text_mask, label)


def test_a_required_argument_that_some_rows_lack_is_an_error() -> None:
    vocab = make_vocab()
    model = MultiTaskModel(vocab, TinyBackbone(), {"a": NeedsLabel(vocab)})
    instances = [make_instance("w1", "a"), make_instance("w2", "a", label="class2")]
    message = (
        "For 1 of its 2 rows, 'a' requires the argument 'label', but only ['encoded_text', "
        "'encoded_text_mask', 'text', 'task'] are available to it (after arg_name_mapping). Add it "
        "in the dataset reader, or map an available name to it: arg_name_mapping={'a': {NAME: "
        "'label'}}. If it is a label, give it the default None, because a prediction has none."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        model.forward_on_instances(instances)


def test_a_backbone_argument_that_some_instances_lack_is_an_error() -> None:
    mapping = {"backbone": {"question": "text", "review": "text"}}
    batch = {
        "task": ["tweets", "tweets", "ewt"],
        "question": Partial({"tokens": {"tokens": torch.ones(2, 1).long()}}, (0, 2)),
    }
    message = (
        "The backbone encodes every instance of a batch, but for its argument 'text' only 2 of the "
        "3 instances of this batch have the field 'question'. Keep instances with different inputs "
        "in separate batches (a homogeneous scheduler does), give the field the same name in all "
        "readers, or leave it out of the backbone's allowed_arguments."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        make_model(arg_name_mapping=mapping)(**batch)


class Tagger(Head):
    """Tags each token, and also returns a number for each instance and a dictionary."""

    def __init__(self) -> None:
        super().__init__(make_vocab())
        self.linear = torch.nn.Linear(DIM, CLASSES)

    def forward(self, encoded_text: torch.Tensor, tags: Any = None) -> Dict[str, Any]:
        logits = self.linear(encoded_text)  # Shape: (B, T, C)
        outputs = {"mean": logits.mean((1, 2)), "deep": {"tags": logits.argmax(-1)}}
        if tags is not None:
            outputs["loss"] = torch.nn.functional.cross_entropy(logits.flatten(0, 1), tags.view(-1))
        return outputs


def tagged(text: str, task: str, tags: Optional[List[str]] = None) -> Instance:
    instance = make_instance(text, task)
    if tags is not None:
        field: Any = instance["text"]
        instance.add_field("tags", SequenceLabelField(tags, field))
    return instance


def test_sequence_labels_may_be_given_for_some_rows() -> None:
    torch.manual_seed(0)
    heads: Dict[str, Head] = {"a": Tagger(), "b": Tagger()}
    model: Any = MultiTaskModel(make_vocab(), TinyBackbone(), heads)
    instances = [
        tagged("w1 w2", "a", ["class1", "class2"]),
        tagged("w3", "a"),
        tagged("w1 w2 w3", "b"),
    ]
    batch = batch_of(instances)
    outputs = model(**batch)
    assert batch["tags"].value.tolist() == [[1, 2, 0]]
    logits = model.head("a").linear(outputs["encoded_text"][:1]).flatten(0, 1)
    expected = torch.nn.functional.cross_entropy(logits, torch.tensor([1, 2, 0]))
    assert outputs["loss"].item() == pytest.approx(expected.item())
    assert outputs["a_mean"].shape == (2,)
    assert outputs["a_deep"]["tags"].shape == (2, 3)
    together = model.forward_on_instances(instances[:2])
    assert together[1]["a_mean"].shape == ()


def test_instances_of_a_head_may_have_the_same_argument_in_different_fields() -> None:
    vocab = make_vocab()
    heads: Dict[str, Head] = {"a": TinyHead(vocab), "b": TinyHead(vocab)}
    mapping = {"b": {"stars": "label", "mood": "label"}}
    model = MultiTaskModel(vocab, TinyBackbone(), heads, arg_name_mapping=mapping)
    instances = [
        make_instance("w1", "a", label="class1"),
        make_instance("w2", "b", stars="class1"),
        make_instance("w3", "b", mood="class0"),
    ]
    outputs = model(**batch_of(instances))
    expected = torch.nn.functional.cross_entropy(outputs["b_logits"], torch.tensor([1, 0]))
    assert outputs["b_loss"].item() == pytest.approx(expected.item())


def test_two_fields_of_one_instance_for_one_argument_are_an_error() -> None:
    vocab = make_vocab()
    heads: Dict[str, Head] = {"a": TinyHead(vocab)}
    model = MultiTaskModel(vocab, TinyBackbone(), heads, arg_name_mapping={"a": {"stars": "label"}})
    instances = [
        make_instance("w1", "a", label="class1", stars="class2"),
        make_instance("w2", "a"),
    ]
    message = (
        "For 1 of its 2 rows, 'a' got duplicate argument label: an argument takes one value per "
        "batch, but ['label', 'stars'] all map to it in this batch. Keep these inputs in separate "
        "batches, or change arg_name_mapping."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        model.forward_on_instances(instances)


def test_fields_and_encodings_are_available() -> None:
    assert available_to_heads({"a": 1}, {"b": 2}) == {"a": 1, "b": 2}


def test_a_field_with_the_name_of_a_backbone_output_is_an_error() -> None:
    message = (
        "The values that heads take must have different names, but got 'x' both as a field of the "
        "batch and as an output of the backbone. Rename the field in the dataset reader or the "
        "output in the backbone."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        available_to_heads({"x": [1]}, {"x": [2]})


def test_a_backbone_may_return_its_input() -> None:
    value = [1]
    assert available_to_heads({"x": value}, {"x": value}) == {"x": value}


def test_the_backbone_is_called_for_the_whole_batch() -> None:
    backbone = FixedBackbone(x=[1, 2])
    router = Router("backbone", backbone)
    outputs, rows = call_backbone(backbone, router, {"text": [3, 4]}, 2)
    assert backbone.calls == [{"text": [3, 4]}]
    assert (outputs, rows) == ({"x": [1, 2]}, 2)


def test_the_loss_of_a_head_is_the_mean_of_its_labeled_rows() -> None:
    head = TinyHead(make_vocab())
    encoded = {"encoded_text": torch.ones(3, 1, DIM), "encoded_text_mask": torch.ones(3, 1)}
    available = available_to_heads({"label": Partial(torch.tensor([2]), (1,))}, encoded)
    outputs, rows = call_head(head, Router("a", head), available, AllRows(3))
    logits = head.linear(torch.ones(1, DIM))
    loss = scalar_loss("a", outputs)
    assert loss is not None
    expected = torch.nn.functional.cross_entropy(logits, torch.tensor([2]))
    assert loss.item() == pytest.approx(expected.item())
    assert rows == 1
