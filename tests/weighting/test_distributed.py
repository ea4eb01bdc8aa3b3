"""Two processes whose batches have different heads track the same values."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
import torch
from allennlp.models.heads import Head

from multitask_model import MultiTaskModel
from multitask_model.weighting import LossWeighting
from tests.helpers.models import TinyBackbone, TinyHead, make_vocab
from tests.helpers.processes import run_processes
from tests.helpers.weightings import CASES, take_step

pytestmark = pytest.mark.slow

# The tasks of the batches of each process.
BATCHES = [
    [["a", "b"], ["a", "a"], ["a", "b", "b"], ["a"]],
    [["b", "a", "a"], ["b"], ["a", "b"], ["b", "b"]],
]


def batch_of(tasks: List[str]) -> Dict[str, Any]:
    """A batch whose instances depend on their task only, so that batches can be joined."""
    words = {"a": [3, 4, 5, 0], "b": [6, 7, 0, 0]}
    return {
        "text": {"tokens": {"tokens": torch.tensor([words[task] for task in tasks])}},
        "label": torch.tensor([1 if task == "a" else 2 for task in tasks]),
        "task": list(tasks),
    }


def train(name: str, batches: List[List[str]]) -> Any:
    """Trains a model in `DistributedDataParallel`, and returns its parameters and buffers."""
    torch.manual_seed(0)
    vocab = make_vocab()
    heads: Dict[str, Head] = {head: TinyHead(vocab) for head in "ab"}
    weighting = LossWeighting.by_name(name)()
    model = MultiTaskModel(vocab, TinyBackbone(), heads, loss_weighting=weighting)
    parallel: torch.nn.Module = model
    if torch.distributed.is_initialized():
        parallel = torch.nn.parallel.DistributedDataParallel(model, find_unused_parameters=True)
    for tasks in batches:
        parallel(**batch_of(tasks))["loss"].backward()
        take_step(model)
    return {key: value.tolist() for key, value in model.state_dict().items()}


def run_process(rank: int, folder: str) -> None:
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/rendezvous", world_size=2, rank=rank
    )
    found = {name: train(name, BATCHES[rank]) for name in sorted(CASES)}
    (Path(folder) / f"{rank}.json").write_text(json.dumps(found))
    torch.distributed.destroy_process_group()


@pytest.fixture(name="found", scope="module")
def _found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("distributed")
    run_processes(run_process, str(folder))
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_model_is_the_same_on_all_processes(name: str, found: Any) -> None:
    first, second = (of_process[name] for of_process in found)
    assert first == second


@pytest.mark.parametrize("name", sorted(set(CASES) - {"random"}))
def test_the_model_is_that_of_one_process_on_the_joined_batches(name: str, found: Any) -> None:
    joined = [first + second for first, second in zip(*BATCHES)]
    expected = train(name, joined)
    for key, values in found[0][name].items():
        torch.testing.assert_close(torch.tensor(values), torch.tensor(expected[key]))
