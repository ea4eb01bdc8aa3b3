"""Aggregated gradients of several processes, compared with those of one on the joined batch."""

import pickle
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
import torch
from allennlp.data import Instance
from allennlp.nn.parallel import DdpWrappedModel
from torch.nn.parallel import DistributedDataParallel

from multitask_model.distributed import FILLER
from tests.distributed.test_gradients import (
    STEPS,
    Gradients,
    gradients_of,
    instances_of,
    make_model,
)
from tests.helpers.aggregation import make_callback, make_trainer
from tests.helpers.distributed_training import process_group
from tests.helpers.multitask import batch_of
from tests.helpers.processes import run_processes

pytest.importorskip("torchjd")
pytestmark = pytest.mark.slow

AGGREGATORS = ["sum", "upgrad", "imtl_g"]
MODELS = ["heads", "instances", "regularizer", "backbone loss", "weighting"]
Found = Tuple[float, Gradients, Dict[str, float]]


def take_step(name: str, aggregator: str, instances: List[Instance]) -> Found:
    """The joint loss, the gradients and the conflicts of one step of a trainer."""
    model = make_model(name)
    options: Dict[str, Any] = {}
    if torch.distributed.is_initialized():
        wrapped = DistributedDataParallel(model, find_unused_parameters=True)
        options = {
            "distributed": True,
            "local_rank": torch.distributed.get_rank(),
            "world_size": 2,
            "ddp_wrapped_model": DdpWrappedModel(wrapped),
        }
    trainer = make_trainer(model, **options)
    callback = make_callback(aggregator, log_conflicts=True)
    callback.on_start(trainer)
    batch: Dict[str, Any] = batch_of(instances) if instances else {FILLER: True}
    outputs = trainer.batch_outputs(batch, for_training=True)
    assert callback.on_backward(trainer, outputs, False)
    metrics = model.get_metrics(reset=True)
    conflicts = {name: value for name, value in metrics.items() if name.startswith("conflict")}
    return outputs["loss"].item(), gradients_of(model), conflicts


def run_process(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    with process_group(Path(folder), rank, 2):
        found = {
            (name, aggregator, step): take_step(name, aggregator, instances_of(of_processes[rank]))
            for name in MODELS
            for aggregator in AGGREGATORS
            for step, of_processes in STEPS.items()
        }
    (Path(folder) / f"{rank}").write_bytes(pickle.dumps(found))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> List[Any]:
    folder = tmp_path_factory.mktemp("aggregation")
    run_processes(run_process, str(folder))
    return [pickle.loads((folder / str(rank)).read_bytes()) for rank in (0, 1)]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("aggregator", AGGREGATORS)
@pytest.mark.parametrize("step", sorted(STEPS))
def test_aggregated_gradients_are_those_of_one_process_on_the_joined_batch(
    found: List[Any], name: str, aggregator: str, step: str
) -> None:
    instances = [instance for rows in STEPS[step] for instance in instances_of(rows)]
    loss, expected, conflicts = take_step(name, aggregator, instances)
    for of_process in found:
        loss_of_process, gradients, conflicts_of_process = of_process[name, aggregator, step]
        assert loss_of_process == pytest.approx(loss, abs=1e-5)
        assert conflicts_of_process == pytest.approx(conflicts, abs=1e-4)
        for parameter, gradient in expected.items():
            if gradient is None:
                assert gradients[parameter] is None, parameter
            else:
                torch.testing.assert_close(gradients[parameter], gradient, atol=1e-5, rtol=1e-4)
