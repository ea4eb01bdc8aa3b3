"""The `regression` head: its loss and metrics."""

import pytest
import torch
from allennlp.data import Vocabulary
from allennlp.modules.seq2vec_encoders import BagOfEmbeddingsEncoder

from multitask_model.heads import RegressionHead

PREDICTIONS = [1.0, 2.0, 4.0]


@pytest.fixture
def head() -> RegressionHead:
    head = RegressionHead(Vocabulary(), BagOfEmbeddingsEncoder(1)).eval()
    one, zero = torch.ones(1, 1), torch.zeros(1)
    head.load_state_dict({"_projection._linear.weight": one, "_projection._linear.bias": zero})
    return head


def predict(head: RegressionHead, targets: torch.Tensor) -> torch.Tensor:
    encoded = torch.tensor(PREDICTIONS).view(3, 1, 1)
    return head(encoded, torch.ones(3, 1, dtype=torch.bool), targets)["loss"]


def test_the_loss_is_the_mean_squared_error(head: RegressionHead) -> None:
    assert predict(head, torch.tensor([2.0, 2.0, 1.0])).item() == pytest.approx((1 + 0 + 9) / 3)


def test_errors_and_correlations(head: RegressionHead) -> None:
    predict(head, torch.tensor([2.0, 2.0, 1.0]))
    metrics = head.get_metrics()
    assert metrics["mae"] == pytest.approx((1 + 0 + 3) / 3)
    assert metrics["mse"] == pytest.approx((1 + 0 + 9) / 3)
    # Deviations from the means: -4/3, -1/3, 5/3 and 1/3, 1/3, -2/3.
    assert metrics["pearson"] == pytest.approx((-15 / 9) / ((42 / 9) * (6 / 9)) ** 0.5)
    # Ranks 1, 2, 3 and 2.5, 2.5, 1.
    assert head.get_metrics(reset=True)["spearman"] == pytest.approx(-1.5 / (2 * 1.5) ** 0.5)


def test_errors_are_averaged_over_all_batches(head: RegressionHead) -> None:
    predict(head, torch.tensor([1.0, 2.0, 4.0]))
    predict(head, torch.tensor([3.0, 2.0, 4.0]))
    assert head.get_metrics()["mae"] == pytest.approx(2 / 6)
    assert head.get_metrics()["mse"] == pytest.approx(4 / 6)


def test_the_correlation_with_equal_targets_is_zero(head: RegressionHead) -> None:
    predict(head, torch.tensor([2.0, 2.0, 2.0]))
    metrics = head.get_metrics(reset=True)
    assert (metrics["pearson"], metrics["spearman"]) == (0.0, 0.0)


def test_targets_may_be_a_column_of_integers(head: RegressionHead) -> None:
    loss = predict(head, torch.tensor([[2], [2], [1]]))
    assert loss.item() == pytest.approx((1 + 0 + 9) / 3)


def test_a_prediction_is_a_number_per_sequence(head: RegressionHead) -> None:
    outputs = head(torch.ones(1, 1, 1), torch.ones(1, 1, dtype=torch.bool))
    assert head.make_output_human_readable(outputs)["prediction"].tolist() == [1.0]


def test_half_precision_does_not_round_targets(head: RegressionHead) -> None:
    targets = torch.tensor([2023.0, 1999.0, 3.0])
    with torch.autocast("cpu", torch.bfloat16):
        predict(head, targets)
    expected = (targets - torch.tensor(PREDICTIONS)).abs().mean().item()
    assert head.get_metrics()["mae"] == pytest.approx(expected)


@pytest.mark.parametrize("mode", [True, False])
def test_spearman_is_reported_at_the_end_of_an_epoch_only(head: RegressionHead, mode: bool) -> None:
    head.train(mode)
    predict(head, torch.tensor([1.0, 2.0, 3.0]))
    assert head.get_metrics().keys() == {"mae", "mse", "pearson"}
    assert head.get_metrics(reset=True).keys() == {"mae", "mse", "pearson", "spearman"}
    assert head.get_metrics(reset=True) == {}


def test_metrics_use_the_precision_of_the_targets(head: RegressionHead) -> None:
    # In single precision, all three targets would be equal.
    predict(head, 1e9 + torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64))
    assert head.get_metrics()["pearson"] == pytest.approx(1.0)


def test_metrics_within_an_epoch_leave_out_the_rank_correlation(head: RegressionHead) -> None:
    """It needs all numbers of the epoch, and the trainer asks after every batch."""
    head(torch.randn(3, 1, 1), torch.ones(3, 1, dtype=torch.bool), torch.randn(3))
    assert head.get_metrics().keys() == {"mae", "mse", "pearson"}
    assert head.get_metrics(reset=True).keys() == {"mae", "mse", "pearson", "spearman"}
