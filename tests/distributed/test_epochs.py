"""Training and evaluation in several processes, compared with one process."""

import json
import pickle
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

import pytest
import torch
from allennlp.data import Vocabulary
from torch.nn.parallel import DistributedDataParallel

from multitask_model import MultiTaskDataLoader, MultiTaskModel
from multitask_model.distributed import FILLER
from tests.helpers.distributed_training import (
    SIZES,
    make_config,
    make_model_and_loader,
    make_vocab,
    process_group,
    write_data,
)
from tests.helpers.processes import run_processes

pytestmark = pytest.mark.slow

SCHEDULERS: List[Dict[str, Any]] = [
    {"type": "shuffled", "batch_size": 2},
    {"type": "roundrobin", "batch_size": 3},
    {"type": "homogeneous_roundrobin", "batch_size": 2},
]
SAMPLERS = ["uniform", "proportional", "temperature"]
PER_EPOCH = 25


class Epoch(NamedTuple):
    """One epoch of training in one process."""

    length: int
    batches: List[List[str]]
    """The tasks of each batch; empty for a batch that only fills the step."""
    texts: List[str]
    losses: List[float]
    metrics: Dict[str, float]
    parameters: float


class Found(NamedTuple):
    evaluation: Dict[str, float]
    epochs: Dict[str, List[Epoch]]


def evaluate(model: MultiTaskModel, loader: MultiTaskDataLoader) -> Dict[str, float]:
    model.eval()
    with torch.no_grad():
        for batch in loader:
            model(**batch)
    return model.get_metrics(reset=True)


def texts_of(batch: Dict[str, Any]) -> List[str]:
    """The task and the words of each instance; without the words that may be masked."""
    words = batch["text"]["tokens"]["tokens"].tolist()
    return [
        task if task == "raw" else f"{task} {[word for word in row if word]}"
        for task, row in zip(batch["task"], words)
    ]


def train_epoch(model: MultiTaskModel, loader: MultiTaskDataLoader) -> Epoch:
    wrapped = DistributedDataParallel(model.train(), find_unused_parameters=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    length, batches, texts, losses = len(loader), [], [], []
    for batch in loader:
        optimizer.zero_grad()
        loss = wrapped(**batch)["loss"]
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        is_filler = FILLER in batch
        batches.append([] if is_filler else list(batch["task"]))
        texts += [] if is_filler else texts_of(batch)
    parameters = sum(parameter.double().sum().item() for parameter in model.parameters())
    return Epoch(length, batches, texts, losses, model.get_metrics(reset=True), parameters)


def configs(folder: Path) -> Dict[str, Dict[str, Any]]:
    found = {}
    for scheduler in SCHEDULERS:
        name = scheduler["type"]
        found[name] = make_config(folder, data_loader={"type": "multitask", "scheduler": scheduler})
    for sampler in SAMPLERS:
        found[sampler] = make_config(folder)
        changes = {"sampler": {"type": sampler}, "instances_per_epoch": PER_EPOCH}
        found[sampler]["data_loader"].update(changes)
    return found


def run_process(rank: int, folder: str, count: str) -> None:
    torch.set_num_threads(1)
    path = Path(folder)
    vocab = Vocabulary.from_files(str(path / "vocab"))
    with process_group(path, rank, int(count)):
        evaluation = evaluate(*make_model_and_loader(make_config(path), vocab))
        epochs = {}
        for name, config in configs(path).items():
            model, loader = make_model_and_loader(config, vocab)
            epochs[name] = [train_epoch(model, loader) for _ in range(2)]
    (path / f"{count}-{rank}").write_bytes(pickle.dumps(Found(evaluation, epochs)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("distributed")
    write_data(folder)
    make_vocab(make_config(folder)).save_to_files(str(folder / "vocab"))
    return folder


@pytest.fixture(scope="module", params=[2, 4])
def found(request: pytest.FixtureRequest, folder: Path) -> List[Found]:
    run_processes(run_process, str(folder), str(request.param), count=request.param)
    return [
        pickle.loads((folder / f"{request.param}-{rank}").read_bytes())
        for rank in range(request.param)
    ]


def test_every_process_reports_the_metrics_of_one_process(found: List[Found], folder: Path) -> None:
    vocab = Vocabulary.from_files(str(folder / "vocab"))
    expected = evaluate(*make_model_and_loader(make_config(folder), vocab))
    assert len(expected) == 24
    for of_process in found:
        assert list(of_process.evaluation) == list(expected)
        assert of_process.evaluation == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("scheduler", [scheduler["type"] for scheduler in SCHEDULERS])
def test_an_epoch_has_every_instance_once(found: List[Found], folder: Path, scheduler: str) -> None:
    vocab = Vocabulary.from_files(str(folder / "vocab"))
    _, loader = make_model_and_loader(make_config(folder), vocab)
    expected = sorted(text for batch in loader for text in texts_of(batch))
    assert len(expected) == sum(SIZES.values())
    for number in (0, 1):
        epochs = [of_process.epochs[scheduler][number] for of_process in found]
        assert sorted(text for epoch in epochs for text in epoch.texts) == expected


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_instances_of_an_epoch_are_those_of_all_processes(
    found: List[Found], sampler: str
) -> None:
    for number in (0, 1):
        epochs = [of_process.epochs[sampler][number] for of_process in found]
        assert sum(len(epoch.texts) for epoch in epochs) == PER_EPOCH


@pytest.mark.parametrize("name", [*(s["type"] for s in SCHEDULERS), *SAMPLERS])
def test_processes_agree(found: List[Found], name: str) -> None:
    for number in (0, 1):
        first, *others = (of_process.epochs[name][number] for of_process in found)
        assert first.length == len(first.batches)
        for other in others:
            assert other.length == len(other.batches) == first.length
            assert other.losses == first.losses
            assert other.metrics == first.metrics
            assert other.parameters == first.parameters


@pytest.mark.parametrize("name", ["shuffled", "homogeneous_roundrobin", *SAMPLERS])
def test_a_step_has_the_same_task_in_all_processes(found: List[Found], name: str) -> None:
    for number in (0, 1):
        for batches in zip(*(of_process.epochs[name][number].batches for of_process in found)):
            assert len({task for batch in batches for task in batch}) == 1


def test_metrics_can_be_written_as_json(found: List[Found]) -> None:
    assert json.loads(json.dumps(found[0].evaluation)) == found[0].evaluation
