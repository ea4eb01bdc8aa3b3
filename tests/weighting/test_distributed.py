"""Two processes whose batches have different heads track the same values."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
import torch
from allennlp.models.heads import Head

from multitask_model import MultiTaskModel
from multitask_model.weighting import LossWeighting
from tests.helpers.models import TinyBackbone, TinyHead, make_batch, make_vocab
from tests.helpers.processes import run_processes
from tests.helpers.weightings import CASES, make_losses, make_new, take_step

pytestmark = pytest.mark.slow

TRACKED = ["dynamic_average", "famo"]
BATCHES: Dict[int, List[Dict[str, float]]] = {
    0: [{"a": 1.0, "b": 4.0}, {"a": 1.0}, {"a": 2.0, "b": 2.0}, {"a": 1.0, "b": 1.0}],
    1: [{"a": 3.0, "b": 2.0}, {"b": 5.0}, {"a": 2.0, "b": 1.0}, {"a": 1.0, "b": 1.0}],
}
MEANS = [{"a": 2.0, "b": 3.0}, {"a": 1.0, "b": 5.0}, {"a": 2.0, "b": 1.5}, {"a": 1.0, "b": 1.0}]
"""The means over both processes."""


def states_of(name: str, batches: List[Dict[str, float]]) -> Any:
    """What the weighting tracks, and its mean weights, after two epochs of two batches."""
    weighting = make_new(name, "a", "b")
    for number, losses in enumerate(batches):
        weighting(make_losses(**losses))
        if number % 2:
            weighting.finish_epoch()
    state = {key: value.item() for key, value in weighting.state_dict().items()}
    return [state, weighting.get_weights(reset=True)]


def train(name: str, batches: List[List[str]]) -> Any:
    """Trains a model in `DistributedDataParallel`, and returns its parameters and buffers."""
    torch.manual_seed(0)
    vocab = make_vocab()
    heads: Dict[str, Head] = {head: TinyHead(vocab) for head in "ab"}
    weighting = LossWeighting.by_name(name)()
    model = MultiTaskModel(vocab, TinyBackbone(), heads, loss_weighting=weighting)
    parallel = torch.nn.parallel.DistributedDataParallel(model, find_unused_parameters=True)
    for tasks in batches:
        parallel(**make_batch(tasks, seed=len(tasks)))["loss"].backward()
        take_step(model)
    return {key: value.tolist() for key, value in model.state_dict().items()}


def run_process(rank: int, folder: str) -> None:
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/rendezvous", world_size=2, rank=rank
    )
    found: Dict[str, Any] = {name: states_of(name, BATCHES[rank]) for name in TRACKED}
    tasks = [list(losses) for losses in BATCHES[rank]]
    found["trained"] = {name: train(name, tasks) for name in sorted(set(CASES) - {"random"})}
    (Path(folder) / f"{rank}.json").write_text(json.dumps(found))
    torch.distributed.destroy_process_group()


@pytest.fixture(name="found", scope="module")
def _found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("distributed")
    run_processes(run_process, str(folder))
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


@pytest.mark.parametrize("name", TRACKED)
def test_all_processes_track_the_means_over_processes(name: str, found: Any) -> None:
    expected, _ = states_of(name, MEANS)
    for of_process in found:
        assert of_process[name][0] == pytest.approx(expected)


@pytest.mark.parametrize("name", TRACKED)
def test_all_processes_report_the_same_weights(name: str, found: Any) -> None:
    assert found[0][name][1] == found[1][name][1]


@pytest.mark.parametrize("name", sorted(set(CASES) - {"random"}))
def test_the_model_is_the_same_on_all_processes(name: str, found: Any) -> None:
    first, second = (of_process["trained"][name] for of_process in found)
    assert first == second
