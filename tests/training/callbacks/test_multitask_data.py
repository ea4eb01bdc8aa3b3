"""
The callback `multitask_data`: a run that is killed and recovered trains on the same batches as an
uninterrupted one, and the scheduler receives the metrics.
"""

import json
import os
import signal
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict, List, Mapping

import pytest
import torch
import torch.distributed as dist
from allennlp.common.checks import ConfigurationError
from allennlp.data import DataLoader
from allennlp.data.data_loaders import SimpleDataLoader

from multitask_model.data.schedulers import RoundRobinScheduler
from multitask_model.training.callbacks import MultiTaskDataCallback, multitask_data
from tests.helpers.commands import ROOT
from tests.helpers.forked import forked_python
from tests.helpers.loading import epoch, make_loader, messages
from tests.helpers.recording import PACKAGES, read_trained, recording_config, train

DATA_CALLBACK = {"type": "multitask_data"}

# For each run: the changes of the config, the number of batches after which it is killed, and the
# number of batches in its last checkpoint, which was saved one batch or at most one epoch before.
RUNS: Dict[str, Any] = {
    "without_callback": ({"trainer.callbacks": [{"type": "tests_recording"}]}, 9, 8),
    "dynamic": (
        {
            "data_loader.sampler": {
                "type": "dynamic",
                "metrics": {"a": "-a_loss", "b": "-b_loss"},
            },
            "data_loader.instances_per_epoch": 13,
        },
        12,
        11,
    ),
    "lazy": (
        {
            "data_loader.sampler": {"type": "uniform"},
            "data_loader.instances_per_epoch": 14,
            "data_loader.max_instances_in_memory": 4,
            "data_loader.sorting_keys": ["text"],
            "trainer.checkpointer": {"save_completed_epochs": True},
        },
        10,
        6,
    ),
    "look_before_training": (
        {"trainer.callbacks": [{"type": "tests_recording", "look": True}, DATA_CALLBACK]},
        9,
        8,
    ),
    "accumulating": (
        {"trainer.num_gradient_accumulation_steps": 2, "data_loader.num_workers": 1},
        7,
        6,
    ),
}


def train_until_killed(params: Dict[str, Any], folder: Path, name: str, after: int) -> Path:
    """Trains in a new process that is killed after `after` batches."""
    params = json.loads(json.dumps(params))
    params["trainer"]["callbacks"][0]["kill_after"] = after
    path = folder / f"{name}.json"
    path.write_text(json.dumps(params))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [forked_python(), "-m", "allennlp", "train", path, "-s", folder / name, *PACKAGES],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr[-3000:]
    return folder / name


def trainer_with(loader: DataLoader, skip: int = 0, completed: int = 0) -> Any:
    """
    Stands for a trainer that skips `skip` batches of the epoch, or has completed `completed`
    batches of it.
    """
    return SimpleNamespace(
        data_loader=loader,
        _start_after_batches_in_epoch_completed=skip,
        _batches_in_epoch_completed=completed,
        _num_gradient_accumulation_steps=1,
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_a_killed_run_resumes_with_the_batches_it_has_not_seen(name: str, tmp_path: Path) -> None:
    changes, killed, saved = RUNS[name]
    params = recording_config(**changes)
    uninterrupted = train(params, tmp_path, "uninterrupted")
    resumed = train_until_killed(params, tmp_path, "resumed", killed)
    assert len(read_trained(resumed)) == killed
    train(json.loads((resumed / "config.json").read_text()), tmp_path, "resumed", "--recover")

    expected, found = read_trained(uninterrupted), read_trained(resumed)
    assert found[:killed] == expected[:killed]
    assert found[killed:] == expected[saved:]
    # The same instances and learning rates result in the same weights.
    weights = torch.load(resumed / "best.th")
    for parameter, value in torch.load(uninterrupted / "best.th").items():
        assert torch.allclose(weights[parameter], value, atol=1e-6), parameter


def test_a_checkpoint_without_a_state_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    callback = MultiTaskDataCallback("")
    callback.load_state_dict({})
    loader, reference = make_loader({"a": 5}), make_loader({"a": 5})
    callback.on_start(trainer_with(loader))
    assert epoch(loader) == epoch(reference)
    assert messages(caplog) == [
        "The checkpoint has no state of a multitask data loader, because the run was started "
        "without the callback 'multitask_data'. All earlier batches are loaded again."
    ]


def test_each_process_resumes_from_the_state_of_its_loader(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    loaders = [make_loader({"a": 5}, seed=seed) for seed in (1, 2)]
    states = [loader.state_dict() for loader in loaders]
    expected = [epoch(loader) for loader in loaders]
    assert expected[0] != expected[1]

    def batches_of(rank: int, processes: int) -> List[List[str]]:
        monkeypatch.setattr(multitask_data, "is_distributed", lambda: True)
        monkeypatch.setattr(dist, "get_rank", lambda: rank)
        monkeypatch.setattr(dist, "get_world_size", lambda: processes)
        monkeypatch.setattr(dist, "all_gather_object", lambda found, own: found.__setitem__(0, own))
        loader = make_loader({"a": 5}, seed=3)
        callback = MultiTaskDataCallback("")
        callback.load_state_dict({"loaders": states})
        callback.on_start(trainer_with(loader))
        assert len(callback.state_dict()["loaders"]) == processes
        return epoch(loader)

    assert [batches_of(rank, 2) for rank in range(2)] == expected
    assert messages(caplog) == []
    assert batches_of(2, 3) == expected[1]
    assert messages(caplog) == [
        "The checkpoint is of 2 processes, but this run has 3, which shard the instances "
        "differently: some instances may be repeated early, and others delayed."
    ]


def test_an_epoch_that_the_trainer_leaves_early_is_over() -> None:
    loader, reference = make_loader({"a": 5}), make_loader({"a": 5})
    callback = MultiTaskDataCallback("")
    callback.on_start(trainer_with(loader))
    started = callback.state_dict()
    batches = iter(loader)
    next(batches)
    assert callback.state_dict() == started
    next(batches)  # taken but not used, because another process has no more batches
    callback.on_epoch(trainer_with(loader, completed=1), {}, 0)
    assert callback.state_dict()["loaders"][0]["batches"] == [1]
    resumed = make_loader({"a": 5}, seed=9)
    resumed.load_state_dict(callback.state_dict()["loaders"][0])
    epoch(reference)
    assert epoch(resumed) == epoch(reference)


def test_the_scheduler_receives_the_metrics() -> None:
    class ListeningScheduler(RoundRobinScheduler):
        def update_from_epoch_metrics(self, epoch_metrics: Mapping[str, object]) -> None:
            self.received = dict(epoch_metrics)

    scheduler = ListeningScheduler(2)
    callback = MultiTaskDataCallback("")
    loader = make_loader({"a": 5}, scheduler)
    callback.on_start(trainer_with(loader))
    callback.on_epoch(trainer_with(loader, completed=3), {"loss": 0.5}, 0)
    assert scheduler.received == {"loss": 0.5}


def test_another_data_loader_is_an_error() -> None:
    with pytest.raises(ConfigurationError) as error:
        MultiTaskDataCallback("").on_start(trainer_with(SimpleDataLoader([], 1)))
    assert str(error.value) == (
        "The trainer callback 'multitask_data' requires the data loader 'multitask' of "
        "multitask_model, but got SimpleDataLoader. Change the type of the data_loader, or remove "
        "the callback."
    )
