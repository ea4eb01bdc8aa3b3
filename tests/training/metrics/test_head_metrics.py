"""The metrics of heads that may not have counted anything."""

from typing import Any, Dict, List, Optional

import pytest
import torch
from allennlp.data import Vocabulary
from allennlp.models.heads import ClassifierHead, Head
from allennlp.modules.seq2vec_encoders import BagOfEmbeddingsEncoder
from allennlp.training.metrics import (
    Average,
    BooleanAccuracy,
    CategoricalAccuracy,
    F1Measure,
    FBetaMeasure,
    Metric,
    PearsonCorrelation,
    SpanBasedF1Measure,
)

from multitask_model import MultiTaskModel
from tests.helpers.models import CLASSES, DIM, TinyBackbone, TinyHead, make_batch, make_vocab


class MetricHead(Head):
    """Has an accuracy and another metric, and optionally never returns a loss."""

    def __init__(self, metric: Metric, has_loss: bool = True) -> None:
        super().__init__(make_vocab())
        self.linear = torch.nn.Linear(DIM, CLASSES)
        self.metrics: Dict[str, Any] = {"accuracy": CategoricalAccuracy(), "other": metric}
        self.has_loss = has_loss

    def forward(
        self, encoded_text: torch.Tensor, label: Optional[torch.Tensor] = None
    ) -> Dict[str, torch.Tensor]:
        logits = self.linear(encoded_text.mean(1))  # Shape: (B, C)
        outputs = {"logits": logits}
        if label is not None:
            for metric in self.metrics.values():
                metric(logits, label)
            if self.has_loss:
                outputs["loss"] = torch.nn.functional.cross_entropy(logits, label)
        return outputs

    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        read = {name: metric.get_metric(reset) for name, metric in self.metrics.items()}
        other = read["other"]
        return {"accuracy": read["accuracy"], "f1": other["f1" if "f1" in other else "fscore"]}


def make_model(head: Head, **kwargs: Any) -> Any:
    heads = {"a": head, "b": TinyHead(make_vocab())}
    return MultiTaskModel(make_vocab(), TinyBackbone(), heads, **kwargs)


F1_METRICS = [F1Measure(1), FBetaMeasure(average="macro")]


@pytest.mark.parametrize("metric", F1_METRICS, ids=["f1", "fbeta"])
def test_a_head_is_left_out_until_it_has_had_labels(metric: Metric) -> None:
    model = make_model(MetricHead(metric))
    model(**make_batch(["a", "a", "b"], labels=False))
    assert model.get_metrics() == {}
    model(**make_batch(["b"]))
    assert sorted(model.get_metrics()) == ["_b_hidden", "b_accuracy", "b_loss"]
    model(**make_batch(["a", "a", "a"]))
    assert {"a_accuracy", "a_f1", "a_loss"} <= model.get_metrics(reset=True).keys()
    model(**make_batch(["a"], labels=False))
    assert model.get_metrics(reset=True) == {}


def test_all_metrics_of_a_head_are_reset_if_one_was_never_called() -> None:
    head = MetricHead(FBetaMeasure(average="micro"))
    head.metrics = dict(reversed(list(head.metrics.items())))
    model = make_model(head)
    head.metrics["accuracy"](torch.eye(CLASSES), torch.arange(CLASSES))
    model(**make_batch(["a"], labels=False))
    assert model.get_metrics(reset=True) == {}
    assert head.metrics["accuracy"].get_metric() == 0.0


def test_the_loss_is_reported_even_if_a_metric_was_never_called() -> None:
    class OwnLossHead(MetricHead):
        def forward(self, encoded_text: torch.Tensor) -> Dict[str, torch.Tensor]:  # type: ignore
            return {"loss": encoded_text.sum() * 0 + 2.0}

    model = make_model(OwnLossHead(FBetaMeasure(average="micro")))
    model(**make_batch(["a"]))
    assert model.get_metrics() == {"a_loss": 2.0}


def test_other_errors_of_a_metric_are_raised() -> None:
    class FailingHead(TinyHead):
        def get_metrics(self, reset: bool = False) -> Dict[str, float]:
            raise RuntimeError("out of memory")

    model = make_model(FailingHead(make_vocab()))
    model(**make_batch(["a"], labels=False))
    with pytest.raises(RuntimeError, match="^out of memory$"):
        model.get_metrics()


def test_the_classifier_of_allennlp_reports_nothing_without_labels() -> None:
    vocab = make_vocab()
    model = make_model(ClassifierHead(vocab, BagOfEmbeddingsEncoder(DIM)))
    model(**make_batch(["a", "a"], labels=False))
    assert model.get_metrics(reset=True) == {}
    model(**make_batch(["a", "a"]))
    assert sorted(model.get_metrics()) == ["a_accuracy", "a_loss"]


def test_a_head_with_metrics_but_no_loss_is_reported_and_reset() -> None:
    head = MetricHead(FBetaMeasure(average="micro"), has_loss=False)
    torch.nn.init.zeros_(head.linear.weight)
    with torch.no_grad():
        head.linear.bias.copy_(torch.tensor([1.0, 0.0, 0.0]))
    model = make_model(head)
    wrong = {**make_batch(["a", "a"]), "label": torch.tensor([1, 2])}
    model(**wrong)  # all predictions are wrong, but counted
    assert model.get_metrics(reset=True) == {"a_accuracy": 0.0, "a_f1": 0.0}
    model(**make_batch(["a"], labels=False))
    assert model.get_metrics() == {}


def _span_metric() -> Metric:
    return SpanBasedF1Measure(Vocabulary(tokens_to_add={"tags": ["O", "B-X"]}), "tags")


@pytest.mark.parametrize(
    ("metric", "values"),
    [
        (Average(), [0.0]),
        (BooleanAccuracy(), [torch.tensor([[1]]), torch.tensor([[2]])]),
        (PearsonCorrelation(), [torch.tensor([1.0]), torch.tensor([1.0])]),
        (_span_metric(), [torch.tensor([[[1.0, 0.0]]]), torch.tensor([[1]])]),
    ],
    ids=["average", "boolean_accuracy", "pearson", "span_f1"],
)
def test_any_metric_counts_once_it_was_called(metric: Metric, values: List[Any]) -> None:
    class AnyHead(TinyHead):
        def get_metrics(self, reset: bool = False) -> Dict[str, float]:
            return {"read": 1.0}

    head = AnyHead(make_vocab())
    head.accuracy = metric  # type: ignore[assignment]
    model = make_model(head)
    model(**make_batch(["a"], labels=False))
    assert model.get_metrics() == {}
    metric(*values)
    assert model.get_metrics() == {"a_read": 1.0}
