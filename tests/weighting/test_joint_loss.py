"""The mean losses of a distributed training, and of a compiled model."""

from pathlib import Path
from typing import Any, Dict, List

import pytest
import torch
from allennlp.models.heads import Head

from multitask_model import MultiTaskModel
from multitask_model.training.metrics.mean_losses import MeanLosses
from tests.helpers.models import FixedHead, TinyBackbone, make_batch, make_vocab


def one_process(rank: int, folder: str) -> None:
    """Has losses that differ by process; the second process has none for `b`."""
    store = f"file://{folder}/store"
    torch.distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=2)
    losses = MeanLosses()
    for value in ([1.0, 3.0], [8.0])[rank]:
        losses.add("a", torch.tensor(value))
    if rank == 0:
        losses.add("b", torch.tensor(5.0))
    losses.reduce(["backbone", "a", "b"])
    Path(folder, f"{rank}.txt").write_text(repr(losses.get()))
    torch.distributed.destroy_process_group()


def test_mean_losses_are_those_of_all_processes(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(one_process, args=(str(tmp_path),), nprocs=2)
    for rank in (0, 1):
        found = eval((tmp_path / f"{rank}.txt").read_text())
        assert found == {"a": 4.0, "b": 5.0}


class Smooth(Head):
    """Its loss is a function of its input, and it has no metrics of its own."""

    def __init__(self) -> None:
        super().__init__(make_vocab())

    def forward(self, encoded_text: torch.Tensor) -> Any:
        return {"loss": encoded_text.mean()}


@pytest.mark.skipif(not hasattr(torch, "compile"), reason="torch.compile came with torch 2")
def test_a_compiled_model_is_not_compiled_anew_at_each_step() -> None:
    graphs: List[Any] = []

    def backend(graph: Any, example_inputs: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    heads: Dict[str, Head] = {"a": Smooth(), "b": FixedHead()}
    model = MultiTaskModel(make_vocab(), TinyBackbone(), heads)
    compiled: Any = torch.compile(model, backend=backend)
    losses = [compiled(**make_batch(["a"] * 4, seed=seed))["loss"].item() for seed in range(12)]
    assert len(graphs) <= 3
    assert model.get_metrics() == {"a_loss": pytest.approx(sum(losses) / 12)}
