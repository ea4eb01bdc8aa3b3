"""Tests of the project. Run them in its directory: python -m pytest"""

import json
from pathlib import Path

import pytest
import torch
from allennlp.commands.train import train_model_from_file
from allennlp.data import Vocabulary

import multitask_model  # noqa: F401  (registers its classes)
from stars_head import StarsHead

HERE = Path(__file__).parent


def test_padding_does_not_change_the_prediction() -> None:
    head = StarsHead(Vocabulary(), input_dim=2)
    # Shape (1, 3, 2), of which the last token is padding.
    encoded_text = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [9.0, 9.0]]])
    padded = head(encoded_text, torch.tensor([[True, True, False]]))
    alone = head(encoded_text[:, :2], torch.tensor([[True, True]]))
    assert torch.allclose(padded["prediction"], alone["prediction"])


def test_prediction_needs_no_stars() -> None:
    head = StarsHead(Vocabulary(), input_dim=2)
    outputs = head(torch.ones(1, 3, 2), torch.ones(1, 3, dtype=torch.bool))
    assert "loss" not in outputs
    assert head.get_metrics() == {}


def test_the_model_learns_the_ten_lines_of_each_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(HERE)  # the paths in the config are relative
    run = tmp_path / "run"
    train_model_from_file("experiment.jsonnet", str(run))
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["validation_polarity_accuracy"] == 1.0
    assert metrics["validation_stars_mae"] < 0.5
