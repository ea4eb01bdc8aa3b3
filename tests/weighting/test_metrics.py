"""The weights of the heads as metrics of the model, and other metrics that are reported to it."""

from typing import Any, Dict

import pytest
import torch

from multitask_model import MultiTaskModel
from multitask_model.weighting import (
    DynamicAverageWeighting,
    GeometricWeighting,
    LossWeighting,
    MeanWeighting,
)
from tests.helpers.messages import exactly
from tests.helpers.models import FixedBackbone, FixedHead, make_vocab


def make_model(weighting: Any = None, metrics: Any = None, **losses: float) -> MultiTaskModel:
    heads = {
        name: FixedHead(metrics, loss=torch.tensor(loss, requires_grad=True))
        for name, loss in losses.items()
    }
    return MultiTaskModel(make_vocab(), FixedBackbone(), dict(heads), loss_weighting=weighting)


def call(model: MultiTaskModel, *tasks: str) -> Dict[str, torch.Tensor]:
    return model(text=list(tasks), task=list(tasks))


def weights_of(model: MultiTaskModel, reset: bool = False) -> Dict[str, float]:
    return {k: v for k, v in model.get_metrics(reset).items() if k.endswith("_weight")}


def test_the_weight_of_a_head_is_its_mean_over_the_batches_that_it_ran_on() -> None:
    model = make_model(MeanWeighting(), a=1.0, b=2.0)
    call(model, "a", "b")
    call(model, "a")
    assert weights_of(model) == {"a_weight": (0.5 + 1.0) / 2, "b_weight": 0.5}


def test_the_weights_are_reset() -> None:
    model = make_model(MeanWeighting(), a=1.0, b=2.0)
    call(model, "a", "b")
    assert weights_of(model, reset=True) == {"a_weight": 0.5, "b_weight": 0.5}
    call(model, "a")
    assert weights_of(model) == {"a_weight": 1.0}


def test_the_default_reports_no_weights() -> None:
    model = make_model(a=1.0, b=2.0)
    call(model, "a", "b")
    assert weights_of(model) == {}


def test_a_weight_that_the_head_itself_reports_is_kept() -> None:
    model = make_model(MeanWeighting(), {"weight": 80.0}, a=1.0)
    call(model, "a")
    assert weights_of(model) == {"a_weight": 80.0}


def test_the_weights_are_those_of_the_scaled_losses() -> None:
    heads = {name: FixedHead(loss=torch.tensor(2.0)) for name in "ab"}
    model = MultiTaskModel(
        make_vocab(),
        FixedBackbone(),
        dict(heads),
        loss_weights={"a": 4.0},
        loss_weighting=GeometricWeighting(),
    )
    assert call(model, "a", "b")["loss"].item() == pytest.approx(4.0)
    # 4 / (2 · 8) and 4 / (2 · 2).
    assert weights_of(model) == pytest.approx({"a_weight": 0.25, "b_weight": 1.0})


def test_an_epoch_of_the_weighting_ends_with_that_of_the_training() -> None:
    weighting = DynamicAverageWeighting()
    model = make_model(weighting, a=1.0, b=1.0)
    for _ in range(2):
        call(model, "a", "b")
        model.get_metrics(reset=True)
        model.eval()
        call(model, "a")
        model.get_metrics(reset=True)
        model.train()
    assert weighting.tracked.get("epochs", ["a", "b"]).tolist() == [2.0, 2.0]
    assert weighting.tracked.get("mean", ["a", "b"]).tolist() == [1.0, 1.0]


def test_an_added_head_has_values_of_its_own() -> None:
    model = make_model(LossWeighting.by_name("uncertainty")(), a=1.0)
    model.add_head("b", FixedHead(loss=torch.tensor(3.0)))
    call(model, "a", "b")
    assert weights_of(model) == {"a_weight": 0.5, "b_weight": 0.5}
    assert "_balancing.learned.by_head.b.log_variance" in model.state_dict()


def test_a_reported_metric_is_the_mean_of_its_values() -> None:
    model = make_model(a=1.0)
    model.report_metric("cosine", torch.tensor(0.5))
    model.report_metric("cosine", torch.tensor(-1.0))
    assert model.get_metrics(reset=True) == {"cosine": -0.25}
    assert model.get_metrics() == {}


def test_a_reported_metric_with_the_name_of_another_is_an_error() -> None:
    model = make_model(a=1.0)
    call(model, "a")
    model.report_metric("a_loss", torch.tensor(0.5))
    message = (
        "Every metric must have a unique name, but 'a_loss' was reported by report_metric() and by "
        "a head. Rename the head, or the reported metric."
    )
    with pytest.raises(ValueError, match=exactly(message)):
        model.get_metrics()
