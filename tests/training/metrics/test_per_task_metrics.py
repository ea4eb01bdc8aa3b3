"""The metrics of a head that serves several tasks, separately for each task."""

from typing import Any, Dict

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.models.heads import Head
from allennlp.training.metrics import FBetaMeasure

from multitask_model import MultiTaskModel
from tests.helpers.messages import exactly
from tests.helpers.models import CLASSES, DIM, TinyBackbone, TinyHead, make_vocab
from tests.helpers.task_rows import Row, batch_of_rows, make_model


def test_each_task_has_the_metrics_of_its_instances() -> None:
    model = make_model(per_task_metrics=True).eval()
    rows = [
        Row("tweets", None, {"polarity": 0}, "w1 w2"),
        Row("reviews", None, {"polarity": 1, "genre": 1}, "w3"),
        Row("tweets", None, {"polarity": 2}, "w5"),
    ]
    model(**batch_of_rows(rows))
    together = model.get_metrics(reset=True)
    for task in ("tweets", "reviews"):
        plain = make_model().eval()
        plain(**batch_of_rows([row for row in rows if row.task == task]))
        alone = plain.get_metrics()
        assert together[f"{task}_polarity_accuracy"] == alone["polarity_accuracy"]
        assert together[f"{task}_polarity_loss"] == pytest.approx(alone["polarity_loss"])
        assert together[f"_{task}_polarity_hidden"] == 1.5
    assert together["polarity_accuracy"] == pytest.approx(
        (2 * together["tweets_polarity_accuracy"] + together["reviews_polarity_accuracy"]) / 3
    )
    assert model.get_metrics() == {}


def test_a_head_of_one_task_has_no_metrics_per_task() -> None:
    model = make_model(per_task_metrics=True)
    model(**batch_of_rows([Row("ewt", ["upos"], {"upos": 1}, "w1")]))
    assert sorted(model.get_metrics()) == ["_upos_hidden", "upos_accuracy", "upos_loss"]


def test_losses_and_metrics_of_the_heads_are_unaffected() -> None:
    rows = [Row("tweets", None, {"polarity": 0}, "w1"), Row("reviews", None, {"genre": 1}, "w3")]
    results = []
    for enabled in (False, True):
        model = make_model(per_task_metrics=enabled)
        model.backbone.linear = torch.nn.Sequential(model.backbone.linear, torch.nn.Dropout(0.5))
        polarity = model.head("polarity")
        polarity.linear = torch.nn.Sequential(torch.nn.Dropout(0.5), polarity.linear)
        torch.manual_seed(7)
        losses = [model(**batch_of_rows(rows))["loss"].item() for _ in range(3)]
        metrics = model.get_metrics()
        results.append((losses, {key: metrics[key] for key in ("polarity_accuracy", "genre_loss")}))
    assert results[0] == results[1]


class BatchNormHead(Head):
    """Has batch normalization, and a metric that cannot be read before it was called."""

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


def test_the_buffers_of_the_head_are_unaffected() -> None:
    batch = batch_of_rows([Row("tweets", None, {}, f"w{i}") for i in range(3)])
    batch["task"] = ["x", "x", "y"]
    batch["label"] = torch.tensor([0, 1, 2])
    buffers = []
    for enabled in (False, True):
        torch.manual_seed(0)
        model: Any = MultiTaskModel(
            make_vocab(),
            TinyBackbone(),
            {"a": BatchNormHead()},
            task_heads={"x": ["a"], "y": ["a"]},
            per_task_metrics=enabled,
        )
        model(**{key: batch[key] for key in ("text", "task")})
        model(**batch)
        buffers.append([buffer.tolist() for buffer in model.buffers()])
    assert buffers[0] == buffers[1]
    names = ["a_f1", "a_loss", "x_a_f1", "x_a_loss", "y_a_f1", "y_a_loss"]
    assert list(model.get_metrics()) == names


def test_the_names_of_task_and_head_must_be_unique() -> None:
    heads: Dict[str, Head] = {"c": TinyHead(make_vocab()), "b_c": TinyHead(make_vocab())}
    task_heads = {"a_b": ["c"], "x": ["c", "b_c"], "a": ["b_c"]}
    message = (
        "per_task_metrics needs a unique name for each task and head, but got 'a_b_c' for "
        "('a', 'b_c') and for the task and head ('a_b', 'c'). Rename one of them."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        MultiTaskModel(
            make_vocab(), TinyBackbone(), heads, task_heads=task_heads, per_task_metrics=True
        )


def test_a_task_and_head_must_not_have_the_name_of_another_head() -> None:
    heads: Dict[str, Head] = {"b": TinyHead(make_vocab()), "a_b": TinyHead(make_vocab())}
    task_heads = {"a": ["b"], "x": ["b"], "y": ["a_b"]}
    message = (
        "per_task_metrics needs a unique name for each task and head, but got 'a_b' for "
        "('a', 'b') and for the head 'a_b'. Rename one of them."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        MultiTaskModel(
            make_vocab(), TinyBackbone(), heads, task_heads=task_heads, per_task_metrics=True
        )


def test_an_added_head_has_metrics_per_task() -> None:
    model = make_model(per_task_metrics=True)
    mapping = {"irony_label": "label"}
    model.add_head("irony", TinyHead(make_vocab()), ["x", "y"], arg_name_mapping=mapping)
    batch = batch_of_rows([Row("tweets", None, {}, f"w{i}") for i in range(2)])
    model(**{**batch, "task": ["x", "y"], "irony_label": torch.tensor([0, 1])})
    assert {"x_irony_loss", "y_irony_loss", "irony_loss"} <= model.get_metrics().keys()
