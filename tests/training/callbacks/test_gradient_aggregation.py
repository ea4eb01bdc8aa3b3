"""The callback `gradient_aggregation`."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
import torch
from allennlp.data import Vocabulary
from allennlp.models.heads import Head
from allennlp.modules import Backbone
from allennlp.training.callbacks.backward import OnBackwardException

from multitask_model import MultiTaskModel
from multitask_model.training.aggregators import AGGREGATORS
from tests.helpers.aggregation import (
    aggregated_gradients,
    batch_for,
    gradients_of,
    make_callback,
    make_trainer,
    tiny_model,
)
from tests.helpers.training_config import make_config, train
from tests.training.test_aggregators import REQUIRED

aggregation = pytest.importorskip("torchjd.aggregation")  # not for Python 3.10 and earlier

A, B = torch.tensor([0.0, 0.0]), torch.tensor([4.0, 0.0])
"""Where the losses of the two heads of the toy problem are 0. The Pareto front is between them."""
STEEP = 5.0
"""The loss of head a is this times as steep as that of head b."""
START = torch.tensor([3.5, 2.0])


class Point(Backbone):
    """Has two parameters, which are its output for every instance."""

    def __init__(self, *start: float) -> None:
        super().__init__()
        self.point = torch.nn.Parameter(torch.tensor(start))

    def forward(self, text: Any) -> Dict[str, torch.Tensor]:  # type: ignore[override]
        return {"points": self.point.expand(len(text["tokens"]["tokens"]), 2)}


class Distance(Head):
    """Half the squared distance from a place."""

    def __init__(self, place: torch.Tensor, scale: float = 1.0) -> None:
        super().__init__(Vocabulary())
        self.place, self.scale = place, scale

    def forward(self, points: torch.Tensor) -> Dict[str, torch.Tensor]:
        distances = (points - self.place).pow(2).sum(-1)  # Shape: (B,)
        return {"loss": self.scale * 0.5 * distances.mean()}

    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        return {}


def toy_model(*start: float) -> Any:
    heads: Dict[str, Head] = {"a": Distance(A, STEEP), "b": Distance(B)}
    return MultiTaskModel(Vocabulary(), Point(*start), heads, task_heads={"t": ["a", "b"]})


def toy_batch() -> Dict[str, Any]:
    batch = batch_for(["t", "t"])
    del batch["label"]
    return batch


def losses_at(point: torch.Tensor) -> List[float]:
    return [STEEP * 0.5 * (point - A).pow(2).sum().item(), 0.5 * (point - B).pow(2).sum().item()]


def descend(aggregator: str) -> torch.Tensor:
    """Returns the point that gradient descent from the start ends at."""
    model = toy_model(*START.tolist())
    trainer = make_trainer(model, callback := make_callback(aggregator))
    for _ in range(400):
        model.zero_grad()
        callback.on_backward(trainer, trainer.batch_outputs(toy_batch(), True), False)
        with torch.no_grad():
            model.backbone.point -= 0.01 * model.backbone.point.grad
    point: torch.Tensor = model.backbone.point.detach()
    return point


@pytest.mark.parametrize("features", [False, True])
@pytest.mark.parametrize("name", ["sum", "mean", "upgrad", "mgda", "aligned_mtl", "dualproj"])
def test_the_gradient_is_the_aggregation_of_the_jacobian(name: str, features: bool) -> None:
    jacobian = torch.stack([STEEP * (START - A), START - B])
    expected = getattr(aggregation, AGGREGATORS[name])()(jacobian)
    callback = make_callback(name, features=features)
    found = aggregated_gradients(toy_model(*START.tolist()), toy_batch(), callback)
    torch.testing.assert_close(found["_backbone.point"], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_plain_descent_gives_up_one_head() -> None:
    # The gradient of a is so much larger that b ends far from where it started.
    end, start = losses_at(descend("sum")), losses_at(START)
    assert end[0] < 0.1 * start[0]
    assert end[1] > 2.0 * start[1]


@pytest.mark.slow
def test_upgrad_improves_both_heads_until_the_pareto_front() -> None:
    point = descend("upgrad")
    end, start = losses_at(point), losses_at(START)
    assert end[0] < start[0]
    assert end[1] < start[1]
    assert 0.0 < point[0].item() < 4.0
    assert abs(point[1].item()) < 1e-3


@pytest.mark.parametrize("features", [False, True])
@pytest.mark.parametrize("name", sorted(set(AGGREGATORS) - {"krum", "constant", "nash_mtl"}))
def test_every_aggregator_gives_every_parameter_a_gradient(name: str, features: bool) -> None:
    callback = make_callback({"type": name, **REQUIRED.get(name, {})}, features=features)
    found = aggregated_gradients(tiny_model(), batch_for(["a", "b", "a"]), callback)
    for parameter, gradient in found.items():
        assert gradient is not None, parameter
        assert torch.isfinite(gradient).all(), parameter


@pytest.mark.parametrize(("features", "passes"), [(False, 2), (True, 1)])
def test_features_go_through_the_backbone_once(features: bool, passes: int) -> None:
    model, calls = tiny_model(), []
    model.backbone.linear.register_full_backward_hook(lambda *_: calls.append(1))
    aggregated_gradients(model, batch_for(["a", "b"]), make_callback("upgrad", features=features))
    assert len(calls) == passes


def test_heads_get_their_own_gradients() -> None:
    model, batch = tiny_model(), batch_for(["a", "b", "a"])
    found = aggregated_gradients(model, batch, make_callback("mgda"))
    model.zero_grad()
    model(**batch)["loss"].backward()
    plain = gradients_of(model)
    for name in ("_heads.a.linear.weight", "_heads.b.linear.bias"):
        torch.testing.assert_close(found[name], plain[name])


# --- the trainer


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"grad_norm": 0.1}, {"grad_clipping": 0.01}], ids=str)
@pytest.mark.parametrize("steps", [1, 4])  # 4 of the 6 batches, and the remaining 2
def test_training_with_sum_is_plain_training(steps: int, options: Dict[str, Any]) -> None:
    trained = []
    for callback in (None, make_callback("sum", features=True)):
        torch.manual_seed(0)
        model = tiny_model()
        make_trainer(
            model, callback, num_epochs=2, num_gradient_accumulation_steps=steps, **options
        ).train()
        trained.append(model.state_dict())
    for name, value in trained[0].items():
        torch.testing.assert_close(trained[1][name], value, rtol=0, atol=1e-6, msg=name)


@pytest.mark.slow
def test_a_config_with_conflicts_as_metrics(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    config["trainer"]["callbacks"] = [
        {
            "type": "gradient_aggregation",
            "aggregator": {"type": "cagrad", "c": 0.4},
            "features": True,
            "log_conflicts": True,
        }
    ]
    train(config, tmp_path, "run")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    names = sorted(name for name in metrics if "conflict" in name)
    pairs = ["genre_mood", "polarity_genre", "polarity_mood"]
    assert names == [f"training_conflict_{pair}" for pair in pairs]
    assert all(-1.0 <= metrics[name] <= 1.0 for name in names)


def test_the_conflict_is_the_mean_cosine_of_the_gradients() -> None:
    model = toy_model(0.0, 3.0)
    callback = make_callback("sum", log_conflicts=True)
    aggregated_gradients(model, toy_batch(), callback)
    # The gradients are 5 · (0, 3) and (-4, 3).
    assert model.get_metrics()["conflict_a_b"] == pytest.approx(3 / 5)
    with torch.no_grad():
        model.backbone.point.copy_(torch.tensor([2.0, 0.0]))
    aggregated_gradients(model, toy_batch(), callback)
    assert model.get_metrics(reset=True)["conflict_a_b"] == pytest.approx((3 / 5 - 1) / 2)
    assert "conflict_a_b" not in model.get_metrics()


def test_gradients_that_were_computed_already_are_an_error() -> None:
    trainer = make_trainer(tiny_model(), callback := make_callback("sum"))
    with pytest.raises(OnBackwardException, match="Remove the other callback"):
        callback.on_backward(trainer, {}, True)
