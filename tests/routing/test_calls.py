"""
One pass for several heads, several tasks for one head, and instances that lack labels: equal to a
loop written by hand over the instances of each head.
"""

from typing import Any, Dict, List, NamedTuple, Optional

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance
from allennlp.data.fields import SequenceLabelField
from allennlp.models.heads import Head
from allennlp.nn import util as nn_util
from allennlp.training.metrics import FBetaMeasure
from hypothesis import given, settings
from hypothesis import strategies as st

from multitask_model import MultiTaskModel
from multitask_model.data import collate
from multitask_model.routing.partial import Partial
from tests.helpers.models import CLASSES, DIM, TinyBackbone, TinyHead, make_instance, make_vocab

HEADS = ["polarity", "genre", "upos"]
TASK_HEADS = {"ewt": ["upos", "genre"], "tweets": ["polarity"], "reviews": ["genre", "polarity"]}
WEIGHTS = {"polarity": 0.5, "genre": 2.0, "upos": 1.0}


def make_model(task_heads: Any = TASK_HEADS, **kwargs: Any) -> Any:
    torch.manual_seed(0)
    vocab = make_vocab()
    heads: Dict[str, Head] = {name: TinyHead(vocab) for name in HEADS}
    mapping = {name: {f"{name}_label": "label"} for name in HEADS}
    kwargs = {"loss_weights": WEIGHTS, "arg_name_mapping": mapping, **kwargs}
    return MultiTaskModel(vocab, TinyBackbone(), heads, task_heads=task_heads, **kwargs)


class Row(NamedTuple):
    """An instance: its task, the heads it is narrowed to, and the class for each labelled head."""

    task: str
    heads: Optional[List[str]]
    labels: Dict[str, int]
    text: str

    def instance(self) -> Instance:
        extra: Dict[str, Any] = {f"{h}_label": f"class{c}" for h, c in self.labels.items()}
        if self.heads is not None:
            extra["heads"] = self.heads
        return make_instance(self.text, self.task, **extra)

    def serves(self, head: str) -> bool:
        return head in TASK_HEADS[self.task] and (self.heads is None or head in self.heads)


@st.composite
def row(draw: Any) -> Row:
    task = draw(st.sampled_from(sorted(TASK_HEADS)))
    heads = draw(st.none() | st.lists(st.sampled_from(TASK_HEADS[task]), unique=True))
    labels = draw(st.dictionaries(st.sampled_from(HEADS), st.integers(0, CLASSES - 1)))
    words = draw(st.lists(st.integers(0, 9), min_size=1, max_size=4))
    return Row(task, heads, labels, " ".join(f"w{i}" for i in words))


rows_to_serve = st.lists(row(), min_size=1, max_size=7).filter(
    lambda rows: any(r.serves(head) for r in rows for head in HEADS)
)


def make_batch(rows: List[Row]) -> Dict[str, Any]:
    instances = [r.instance() for r in rows]
    for instance in instances:
        instance.index_fields(make_vocab())
    return collate(instances)


def by_hand(model: Any, rows: List[Row], reduction: str) -> Dict[str, Any]:
    """The loop that one would write for these heads, over the encodings of the whole batch."""
    tokens = make_batch(rows)["text"]["tokens"]["tokens"]
    encoded = model._backbone(text={"tokens": {"tokens": tokens}})
    outputs: Dict[str, Any] = {}
    total: Any = None
    for name in HEADS:
        of_head = [i for i, r in enumerate(rows) if r.serves(name)]
        if not of_head:
            continue
        text, mask = (encoded[key][of_head] for key in ("encoded_text", "encoded_text_mask"))
        logits = model._heads[name](text, mask)["logits"]
        outputs[f"{name}_logits"] = logits
        labelled = [k for k, i in enumerate(of_head) if name in rows[i].labels]
        if labelled:
            labels = torch.tensor([rows[of_head[k]].labels[name] for k in labelled])
            loss = torch.nn.functional.cross_entropy(logits[labelled], labels)
            outputs[f"{name}_loss"] = loss
            share = len(labelled) / len(rows) if reduction == "instances" else 1.0
            term = WEIGHTS[name] * share * loss
            total = term if total is None else total + term
    if total is not None:
        outputs["loss"] = total
    return outputs


def gradients(model: Any, loss: torch.Tensor) -> Dict[str, torch.Tensor]:
    model.zero_grad()
    loss.backward()
    return {
        n: torch.zeros_like(p) if p.grad is None else p.grad.clone()
        for n, p in model.named_parameters()
    }


def assert_equal(model: Any, rows: List[Row], expected: Dict[str, Any]) -> None:
    """That the model gives these outputs and losses, and the gradients of that loss."""
    found = model(**make_batch(rows))
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


@settings(deadline=None, max_examples=60)
@given(data=st.data(), reduction=st.sampled_from(["heads", "instances"]))
def test_random_task_heads_equal_the_loop_by_hand(data: Any, reduction: str) -> None:
    heads_of_a_task = st.lists(st.sampled_from(HEADS), min_size=1, unique=True)
    drawn = data.draw(st.dictionaries(st.sampled_from("xyz"), heads_of_a_task, min_size=1))
    tasks = data.draw(st.lists(st.sampled_from(sorted(drawn)), min_size=1, max_size=6))
    model = make_model(task_heads=drawn, loss_reduction=reduction)
    rows = [Row(task, None, {head: len(head) % 3 for head in HEADS}, "w1 w2") for task in tasks]
    with pytest.MonkeyPatch.context() as patch:
        for task, heads in drawn.items():
            patch.setitem(TASK_HEADS, task, heads)
        expected = by_hand(model, rows, reduction)
    assert_equal(model, rows, expected)


@settings(deadline=None, max_examples=150)
@given(rows=rows_to_serve, reduction=st.sampled_from(["heads", "instances"]))
def test_random_mixes_equal_the_loop_by_hand(rows: List[Row], reduction: str) -> None:
    model = make_model(loss_reduction=reduction)
    expected = by_hand(model, rows, reduction)
    assert_equal(model, rows, expected)


def count_passes(model: Any) -> List[int]:
    passes: List[int] = []
    model._backbone.register_forward_hook(lambda module, args, out: passes.append(1))
    return passes


def test_all_heads_of_a_batch_take_one_pass() -> None:
    model = make_model()
    passes = count_passes(model)
    rows = [Row("ewt", None, {"upos": 1}, "w1"), Row("reviews", None, {"genre": 2}, "w2 w3")]
    model(**make_batch(rows))
    assert len(passes) == 1
    assert model._heads_called == set(HEADS)


def test_instances_of_any_tasks_and_labels_take_one_pass() -> None:
    model = make_model().eval()
    passes = count_passes(model)
    rows = [
        Row("ewt", None, {}, "w1"),
        Row("reviews", ["genre"], {"genre": 1}, "w2 w3"),
        Row("tweets", None, {"polarity": 0}, "w4"),
    ]
    found = model.forward_on_instances([r.instance() for r in rows])
    assert len(passes) == 1
    labels = [sorted(key for key in outputs if key.endswith("_label")) for outputs in found]
    assert labels == [["genre_label", "upos_label"], ["genre_label"], ["polarity_label"]]


@pytest.mark.parametrize("labels", [[{}, {"polarity": 1}], [{"polarity": 1}, {}]])
def test_a_head_whose_rows_partly_have_a_label(labels: List[Dict[str, int]]) -> None:
    model = make_model()
    calls: List[List[str]] = []
    model._heads["polarity"].register_forward_pre_hook(lambda m, args: calls.append([]))
    rows = [Row("tweets", None, found, f"w{i}") for i, found in enumerate(labels)]
    outputs = model(**make_batch(rows))
    assert len(calls) == 2
    assert outputs["polarity_logits"].shape == (2, CLASSES)
    assert model.get_metrics()["polarity_loss"] == pytest.approx(outputs["polarity_loss"].item())


class LabelEcho(Head):
    """Returns its labels, which not all of its rows need have."""

    def __init__(self, **outputs: Any) -> None:
        super().__init__(make_vocab())
        self.outputs = outputs

    def forward(self, encoded_text: torch.Tensor, label: Any = None) -> Dict[str, Any]:
        words = ["word"] * len(encoded_text)
        return {"words": words, **({} if label is None else {"echo": label}), **self.outputs}


def echo_model(**outputs: Any) -> Any:
    return MultiTaskModel(make_vocab(), TinyBackbone(), {"a": LabelEcho(**outputs)})


def test_an_output_that_only_labelled_rows_have() -> None:
    instances = [
        make_instance("w1", "a"),
        make_instance("w2", "a", label="class2"),
        make_instance("w3", "a", label="class1"),
    ]
    model = echo_model()
    found = model.forward_on_instances(instances)
    assert [outputs.get("a_echo") for outputs in found] == [None, 2, 1]
    assert [outputs["a_words"] for outputs in found] == ["word"] * 3


def test_an_output_of_parts_that_cannot_be_put_together() -> None:
    instances = [make_instance("w1", "a"), make_instance("w2", "a", label="class2")]
    expected = "each of its outputs must be a number or have one row per instance, but 'odd' is nei"
    with pytest.raises(ValueError, match=expected):
        echo_model(odd=torch.zeros(7)).forward_on_instances(instances)


class NeedsLabel(TinyHead):
    def forward(  # type: ignore[override]
        self, encoded_text: Any, encoded_text_mask: Any, label: Any
    ) -> Any:
        return super().forward(encoded_text, encoded_text_mask, label)


def test_a_required_argument_that_some_rows_lack() -> None:
    vocab = make_vocab()
    model = MultiTaskModel(vocab, TinyBackbone(), {"a": NeedsLabel(vocab)})
    instances = [make_instance("w1", "a"), make_instance("w2", "a", label="class2")]
    expected = "For 1 of its 2 rows, 'a' requires the argument 'label'"
    with pytest.raises(ValueError, match=expected):
        model.forward_on_instances(instances)


def test_an_input_of_the_backbone_that_some_instances_lack() -> None:
    mapping = {"backbone": {"question": "text", "review": "text"}}
    batch = {
        "task": ["tweets", "tweets", "ewt"],
        "question": Partial({"tokens": {"tokens": torch.ones(2, 1).long()}}, (0, 2)),
    }
    expected = (
        r"for its argument 'text' only 2 of the 3 instances of this batch have the field "
        r"'question'\. Keep instances with unlike inputs in separate batches"
    )
    with pytest.raises(ValueError, match=expected):
        make_model(arg_name_mapping=mapping)(**batch)


def test_loss_reduction_must_be_known() -> None:
    with pytest.raises(ConfigurationError, match="loss_reduction must name .* got 'instance'"):
        make_model(loss_reduction="instance")


def test_one_instance_counts_one_instance() -> None:
    # With the same head for all, the loss over instances does not depend on how they are mixed.
    vocab = make_vocab()
    heads: Dict[str, Head] = {"a": TinyHead(vocab), "b": TinyHead(vocab)}
    heads["b"].load_state_dict(heads["a"].state_dict())
    model = MultiTaskModel(vocab, TinyBackbone(), heads, loss_reduction="instances")
    texts = [f"w{i}" for i in range(5)]

    def loss(tasks: str) -> float:
        instances = [make_instance(t, task, "class1") for t, task in zip(texts, tasks)]
        for instance in instances:
            instance.index_fields(vocab)
        return model(**collate(instances))["loss"].item()

    assert loss("aaaab") == pytest.approx(loss("aaaaa"))
    assert loss("abbab") == pytest.approx(loss("aaaaa"))


class Tagger(Head):
    """Tags every token, and predicts a number for each instance and a dictionary."""

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


def test_sequence_labels_that_only_some_rows_have() -> None:
    torch.manual_seed(0)
    heads: Dict[str, Head] = {"a": Tagger(), "b": Tagger()}
    model: Any = MultiTaskModel(make_vocab(), TinyBackbone(), heads)
    instances = [
        tagged("w1 w2", "a", ["class1", "class2"]),
        tagged("w3", "a"),
        tagged("w1 w2 w3", "b"),
    ]
    for instance in instances:
        instance.index_fields(make_vocab())
    batch = collate(instances)
    outputs = model(**batch)
    assert batch["tags"].value.tolist() == [[1, 2, 0]]
    logits = model._heads["a"].linear(outputs["encoded_text"][:1]).flatten(0, 1)
    expected = torch.nn.functional.cross_entropy(logits, torch.tensor([1, 2, 0]))
    assert outputs["loss"].item() == pytest.approx(expected.item())
    assert outputs["a_mean"].shape == (2,)
    assert outputs["a_deep"]["tags"].shape == (2, 3)
    together = model.forward_on_instances(instances[:2])
    assert together[1]["a_mean"].shape == ()


def test_two_names_for_one_argument_of_heads_in_one_batch() -> None:
    vocab = make_vocab()
    heads: Dict[str, Head] = {"a": TinyHead(vocab), "b": TinyHead(vocab)}
    mapping = {"b": {"stars": "label", "mood": "label"}}
    model = MultiTaskModel(vocab, TinyBackbone(), heads, arg_name_mapping=mapping)
    instances = [
        make_instance("w1", "a", label="class1"),
        make_instance("w2", "b", stars="class1"),
        make_instance("w3", "b", mood="class0"),
    ]
    for instance in instances:
        instance.index_fields(vocab)
    outputs = model(**collate(instances))
    logits, labels = outputs["b_logits"], torch.tensor([1, 0])
    expected = torch.nn.functional.cross_entropy(logits, labels)
    assert outputs["b_loss"].item() == pytest.approx(expected.item())


def test_two_names_for_one_argument_of_one_instance() -> None:
    vocab = make_vocab()
    heads: Dict[str, Head] = {"a": TinyHead(vocab)}
    model = MultiTaskModel(vocab, TinyBackbone(), heads, arg_name_mapping={"a": {"stars": "label"}})
    instances = [
        make_instance("w1", "a", label="class1", stars="class2"),
        make_instance("w2", "a"),
    ]
    with pytest.raises(ValueError, match="For 1 of its 2 rows, 'a' got duplicate argument label"):
        model.forward_on_instances(instances)


# --- metrics by task


def test_metrics_by_task() -> None:
    model = make_model(per_task_metrics=True).eval()
    rows = [
        Row("tweets", None, {"polarity": 0}, "w1 w2"),
        Row("reviews", None, {"polarity": 1, "genre": 1}, "w3"),
        Row("tweets", None, {"polarity": 2}, "w5"),
    ]
    model(**make_batch(rows))
    together = model.get_metrics(reset=True)
    for task in ("tweets", "reviews"):
        plain = make_model().eval()
        plain(**make_batch([r for r in rows if r.task == task]))
        alone = plain.get_metrics()
        assert together[f"{task}_polarity_accuracy"] == alone["polarity_accuracy"]
        assert together[f"{task}_polarity_loss"] == pytest.approx(alone["polarity_loss"])
        assert together[f"_{task}_polarity_hidden"] == 1.5
    assert together["polarity_accuracy"] == pytest.approx(
        (2 * together["tweets_polarity_accuracy"] + together["reviews_polarity_accuracy"]) / 3
    )
    assert model.get_metrics() == {}


def test_metrics_by_task_change_nothing_else() -> None:
    rows = [Row("tweets", None, {"polarity": 0}, "w1"), Row("reviews", None, {"genre": 1}, "w3")]
    results = []
    for by_task in (False, True):
        model = make_model(per_task_metrics=by_task)
        model._backbone.linear = torch.nn.Sequential(model._backbone.linear, torch.nn.Dropout(0.5))
        model._heads["polarity"].linear = torch.nn.Sequential(
            torch.nn.Dropout(0.5), model._heads["polarity"].linear
        )
        torch.manual_seed(7)
        losses = [model(**make_batch(rows))["loss"].item() for _ in range(3)]
        metrics = model.get_metrics()
        results.append((losses, {key: metrics[key] for key in ("polarity_accuracy", "genre_loss")}))
    assert results[0] == results[1]


class Counting(Head):
    """Has batch normalisation, and a metric that must not be read before it was called."""

    def __init__(self) -> None:
        super().__init__(make_vocab())
        self.norm = torch.nn.BatchNorm1d(DIM)
        self.linear = torch.nn.Linear(DIM, CLASSES)
        self.f1 = FBetaMeasure(average="micro")
        self.last: Any = None

    def forward(self, encoded_text: torch.Tensor, label: Any = None) -> Dict[str, Any]:
        self.last = self.linear(self.norm(encoded_text.mean(1)))  # Shape: (B, C)
        if label is None:
            return {}
        self.f1(self.last, label)
        return {"loss": torch.nn.functional.cross_entropy(self.last, label)}

    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        return {"f1": self.f1.get_metric(reset)["fscore"]}


def test_metrics_by_task_leave_the_head_alone() -> None:
    batch = make_batch([Row("tweets", None, {}, f"w{i}") for i in range(3)])
    batch["task"] = ["x", "x", "y"]
    batch["label"] = torch.tensor([0, 1, 2])
    buffers = []
    for by_task in (False, True):
        torch.manual_seed(0)
        model: Any = MultiTaskModel(
            make_vocab(),
            TinyBackbone(),
            {"a": Counting()},
            task_heads={"x": ["a"], "y": ["a"]},
            per_task_metrics=by_task,
        )
        model(**{key: batch[key] for key in ("text", "task")})
        model(**batch)
        buffers.append([b.tolist() for b in model.buffers()])
    assert buffers[0] == buffers[1]
    names = ["a_f1", "a_loss", "x_a_f1", "x_a_loss", "y_a_f1", "y_a_loss"]
    assert list(model.get_metrics()) == names


def test_metrics_by_task_need_names_of_their_own() -> None:
    heads: Dict[str, Head] = {"c": TinyHead(make_vocab()), "b_c": TinyHead(make_vocab())}
    task_heads = {"a_b": ["c"], "x": ["c", "b_c"], "a": ["b_c"]}
    with pytest.raises(ConfigurationError, match=r"'a_b_c' is \('a_b', 'c'\) and \('a', 'b_c'\)"):
        MultiTaskModel(
            make_vocab(), TinyBackbone(), heads, task_heads=task_heads, per_task_metrics=True
        )


# --- what a batch with unlike fields must survive


def test_moving_to_a_device_keeps_partial_fields() -> None:
    rows = [Row("tweets", None, {"polarity": 0}, "w1"), Row("tweets", None, {}, "w3")]
    moved = nn_util.move_to_device(make_batch(rows), torch.device("meta"))
    assert isinstance(moved["polarity_label"], Partial)
    assert moved["polarity_label"].value.device.type == "meta"
    assert moved["polarity_label"].rows == (0,)


# --- a head for a model that is already there


def test_add_head() -> None:
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
    for instance in instances:
        instance.index_fields(make_vocab())
    outputs = model(**collate(instances))
    expected = 0.5 * outputs["polarity_loss"] + 3.0 * outputs["irony_loss"]
    assert outputs["loss"].item() == pytest.approx(expected.item())
    assert list(model.get_metrics())[-3:] == ["irony_accuracy", "_irony_hidden", "irony_loss"]
    assert "irony_label" in model.make_output_human_readable(outputs)


@pytest.mark.parametrize("tasks", ["tweets", [], ["x", "x"]])
def test_add_head_with_tasks_that_are_no_list(tasks: Any) -> None:
    model = make_model()
    with pytest.raises(ConfigurationError, match="tasks must be a list of one or more different"):
        model.add_head("irony", TinyHead(make_vocab()), tasks=tasks)
    assert list(model._heads) == HEADS
    assert model._tasks.by_task == make_model()._tasks.by_task


@pytest.mark.parametrize("name", ["upos", "backbone", "a.b"])
def test_add_head_with_a_name_that_cannot_be_used(name: str) -> None:
    model = make_model()
    with pytest.raises(ConfigurationError, match=f"'{name}' cannot be used"):
        model.add_head(name, TinyHead(make_vocab()))
    assert list(model._heads) == HEADS
