"""Evaluations are bucketed unless the order of their instances matters."""

import json
from pathlib import Path
from typing import Any, Dict, List

import torch
from allennlp.data import Vocabulary
from allennlp.evaluation import SimpleEvaluator
from allennlp.models import Model
from allennlp.training import GradientDescentTrainer

from multitask_model.data import MultiTaskDataLoader
from tests.helpers.loading import make_loader, names

FILE_ORDER = [["a0", "a1"], ["a2", "a3"], ["a4", "a5"]]
BUCKETS = [["a0", "a3"], ["a1", "a4"], ["a2", "a5"]]  # lengths 1 2 3 1 2 3


class RecordingModel(Model):
    """Records the names of the instances in each batch of an evaluation."""

    def __init__(self) -> None:
        super().__init__(Vocabulary())
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.evaluated: List[List[str]] = []

    def forward(self, **batch: Any) -> Dict[str, torch.Tensor]:  # type: ignore[override]
        if not self.training:
            self.evaluated.append(names(batch))
        return {"loss": self.weight * 1.0, "length": (batch["text"]["tokens"]["tokens"] > 0).sum(1)}


def make_evaluation_loader() -> MultiTaskDataLoader:
    return make_loader({"a": 6}, batch_size=2, sorting_keys=["text"])


def test_an_evaluation_without_predictions_is_bucketed() -> None:
    model, loader = RecordingModel(), make_evaluation_loader()
    SimpleEvaluator()(model, loader)
    assert sorted(map(sorted, model.evaluated)) == BUCKETS


def test_predictions_are_written_in_the_order_of_the_file(tmp_path: Path) -> None:
    model, loader = RecordingModel(), make_evaluation_loader()
    path = tmp_path / "predictions.jsonl"
    SimpleEvaluator()(model, loader, predictions_output_file=path)
    assert model.evaluated == FILE_ORDER
    written = [json.loads(line) for line in path.read_text().splitlines()]
    assert [number for batch in written for number in batch["number"]] == [0, 1, 2, 3, 4, 5]
    assert [length for batch in written for length in batch["length"]] == [1, 2, 3, 1, 2, 3]


def test_validation_in_training_is_bucketed() -> None:
    model, loader = RecordingModel(), make_evaluation_loader()
    trainer = GradientDescentTrainer(
        model,
        torch.optim.SGD(model.parameters(), lr=0.1),
        make_loader({"a": 2}),
        validation_data_loader=loader,
        num_epochs=1,
        cuda_device=-1,
    )
    trainer.train()
    assert sorted(map(sorted, model.evaluated)) == BUCKETS
    with torch.no_grad():
        assert [names(batch) for batch in loader] == FILE_ORDER
