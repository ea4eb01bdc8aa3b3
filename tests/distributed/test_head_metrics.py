"""Metrics of heads that keep and use them in unusual ways, in two processes."""

import pickle
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Optional, Type

import pytest
import torch
from allennlp.training.metrics import Average, CategoricalAccuracy, FBetaMeasure, Metric
from torch.multiprocessing import ProcessRaisedException

from multitask_model import MultiTaskModel
from tests.helpers.distributed_training import process_group
from tests.helpers.models import TinyBackbone, TinyHead, make_instance, make_vocab
from tests.helpers.multitask import batch_of
from tests.helpers.processes import run_processes

pytestmark = pytest.mark.slow

Label = Optional[torch.Tensor]

# The batches of each process: a task and a label, if there is one, for each instance.
BATCHES = [[["a0", "a1", "b-"], ["a2"]], [["a0", "a1"], ["b0"], ["b1", "b2"]]]


class Subclass(CategoricalAccuracy):
    """Counts its calls, under names that are also those of attributes of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.owner = self.original = "user"

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        self.calls += 1
        super().__call__(*args, **kwargs)


class Changing(Metric):
    """Changes its arguments, and has slots."""

    __slots__ = ("labels",)

    def __init__(self) -> None:
        self.labels: Counter[int] = Counter()

    def __call__(self, logits: torch.Tensor, labels: List[int]) -> None:  # type: ignore[override]
        while labels:
            self.labels[labels.pop()] += 1

    def get_metric(self, reset: bool = False) -> Dict[str, float]:
        counts = {f"label{label}": float(n) for label, n in sorted(self.labels.items())}
        if reset:
            self.reset()
        return counts

    def reset(self) -> None:
        self.labels = Counter()


class ModuleMetric(torch.nn.Module, Metric):
    total: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("total", torch.zeros(()))

    def forward(self, logits: torch.Tensor, labels: torch.Tensor) -> None:
        self.total += labels.sum()

    def get_metric(self, reset: bool = False) -> float:
        total = float(self.total)
        if reset:
            self.reset()
        return total

    def reset(self) -> None:
        self.total.zero_()


class Bundle:
    def __init__(self) -> None:
        self.recent = [CategoricalAccuracy(), CategoricalAccuracy()]


class ManyMetricsHead(TinyHead):
    """Its own metric is shared by all heads."""

    shared = CategoricalAccuracy()

    def __init__(self, vocab: Any) -> None:
        super().__init__(vocab)
        self.nested = {"x": {"y": [CategoricalAccuracy()]}, "n": None}
        self.bundle = Bundle()
        self.subclass = Subclass()
        self.changing = Changing()
        self.module = ModuleMetric()
        self.f_beta = FBetaMeasure()
        self.accuracy = self.shared
        self.never_reset = Average()

    def forward(
        self, encoded_text: torch.Tensor, encoded_text_mask: torch.Tensor, label: Label = None
    ) -> Dict[str, torch.Tensor]:
        outputs = super().forward(encoded_text, encoded_text_mask, label)
        if label is not None:
            self.count(outputs["logits"], label)
        return outputs

    def count(self, logits: torch.Tensor, labels: torch.Tensor) -> None:
        temporary = CategoricalAccuracy()  # would wait for the other process
        temporary(logits, labels)
        for metric in (self.nested["x"]["y"][0], *self.bundle.recent):  # type: ignore[index]
            metric(logits, labels)
        for metric in (self.subclass, self.module, self.f_beta):
            metric(logits, labels)
        self.changing(logits, labels.tolist())
        for label in labels:
            self.never_reset(label)

    def get_metrics(self, reset: bool = False) -> Dict[str, Any]:
        f_beta = self.f_beta.get_metric(reset)
        recent = [metric.get_metric(reset) for metric in self.bundle.recent]
        return {
            "nested": self.nested["x"]["y"][0].get_metric(reset),  # type: ignore[index]
            "recent": sum(recent),
            "subclass": self.subclass.get_metric(reset),
            "module": self.module.get_metric(reset),
            "shared": self.shared.get_metric(reset),
            "f1": sum(f_beta["fscore"]),
            "never_reset": self.never_reset.get_metric(),
            **self.changing.get_metric(reset),
        }


def make_model(head: Type[TinyHead]) -> MultiTaskModel:
    torch.manual_seed(0)
    vocab = make_vocab()
    return MultiTaskModel(vocab, TinyBackbone(), {"a": head(vocab), "b": head(vocab)})


def batch(rows: List[str]) -> Dict[str, Any]:
    labels = [None if row[-1] == "-" else f"class{row[-1]}" for row in rows]
    texts = [f"w{ord(row[0]) % 7 + i} w{i}" for i, row in enumerate(rows)]
    return batch_of([make_instance(t, r[:-1], label=x) for t, r, x in zip(texts, rows, labels)])


def evaluate(batches: List[List[str]]) -> List[Dict[str, float]]:
    """The metrics of two epochs."""
    model = make_model(ManyMetricsHead).eval()
    epochs = []
    for _ in range(2):
        for rows in batches:
            model(**batch(rows))
            model.get_metrics()  # as the trainer does for its progress bar
        epochs.append(model.get_metrics(reset=True))
    return epochs


def run_process(rank: int, folder: str) -> None:
    with process_group(Path(folder), rank, 2):
        found = evaluate(BATCHES[rank])
    (Path(folder) / f"{rank}").write_bytes(pickle.dumps(found))


def test_metrics_are_those_of_one_process(tmp_path: Path) -> None:
    run_processes(run_process, str(tmp_path))
    expected = evaluate([*BATCHES[0], *BATCHES[1]])
    assert len(expected[0]) == 22
    for rank in (0, 1):
        found = pickle.loads((tmp_path / f"{rank}").read_bytes())
        for of_process, of_one in zip(found, expected):
            assert list(of_process) == list(of_one)
            assert of_process == pytest.approx(of_one, abs=1e-6)


class LateHead(TinyHead):
    """Creates a metric in its first call."""

    late = None

    def forward(
        self, encoded_text: torch.Tensor, encoded_text_mask: torch.Tensor, label: Label = None
    ) -> Dict[str, torch.Tensor]:
        outputs = super().forward(encoded_text, encoded_text_mask, label)
        self.late = self.late or Subclass()
        self.late(outputs["logits"], label)
        return outputs


def create_late(rank: int, folder: str) -> None:
    with process_group(Path(folder), rank, 2):
        model = make_model(LateHead)
        model(**batch(["a0", "a1"]))
        model.get_metrics(reset=True)


def test_a_metric_that_is_created_in_a_call_is_an_error(tmp_path: Path) -> None:
    message = (
        "The metrics of the head 'a' must exist before its first call, but got Subclass, which "
        "was created in it in process 0. Create all metrics in __init__."
    )
    with pytest.raises(ProcessRaisedException, match=message):
        run_processes(create_late, str(tmp_path))


class OutsideHead(TinyHead):
    """Counts outside of metrics."""

    rows = 0

    def forward(
        self, encoded_text: torch.Tensor, encoded_text_mask: torch.Tensor, label: Label = None
    ) -> Dict[str, torch.Tensor]:
        self.rows += len(encoded_text)
        return super().forward(encoded_text, encoded_text_mask, label)

    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        return {"rows": float(self.rows)}


def count_outside(rank: int, folder: str) -> None:
    with process_group(Path(folder), rank, 2):
        model = make_model(OutsideHead).eval()
        model(**batch(["a0", "a1", "a2"][rank:]))
        found = model.get_metrics(reset=True)
    (Path(folder) / f"{rank}").write_bytes(pickle.dumps(found))


def test_processes_agree_on_what_is_counted_outside_of_metrics(tmp_path: Path) -> None:
    run_processes(count_outside, str(tmp_path))
    found = [pickle.loads((tmp_path / str(rank)).read_bytes()) for rank in (0, 1)]
    assert found[0]["a_rows"] == 3.0
    assert found[1] == found[0]


def read_metrics_in_one_process(rank: int, folder: str) -> None:
    with process_group(Path(folder), rank, 2):
        model = make_model(TinyHead).train()
        model(**batch(["a0"]))
        if rank == 1:
            model.get_metrics(reset=True)
        model(**batch(["b0"]))


def test_metrics_of_one_process_during_a_step_are_an_error(tmp_path: Path) -> None:
    message = (
        r"All processes must call forward in training mode, and get_metrics\(reset=True\), equally "
        r"often, but the processes 0 trained the components \['b'\] while the processes 1 called "
        "get_metrics. Call both in all processes."
    )
    with pytest.raises(ProcessRaisedException, match=message):
        run_processes(read_metrics_in_one_process, str(tmp_path))
