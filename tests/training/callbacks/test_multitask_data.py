"""
The callback `multitask_data`: runs that are really killed, and recovered, train on what an
uninterrupted one trains on; and the sampler gets its metrics.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict

import pytest
import torch
import torch.distributed as dist
from allennlp.common.checks import ConfigurationError
from allennlp.data.data_loaders import SimpleDataLoader

from multitask_model.data.schedulers import RoundRobinScheduler
from multitask_model.training.callbacks import MultiTaskDataCallback, multitask_data
from tests.helpers.commands import PACKAGE, ROOT, run_allennlp_here
from tests.helpers.loading import epoch, make_loader, messages
from tests.helpers.recording import read_trained

SIZES = {"a": 13, "b": 5}
PACKAGES = [*PACKAGE, "--include-package", "tests.helpers.recording"]

# What of the config is changed, after how many batches the run is killed, and how many of them are
# in its last checkpoint: the one before the batch that killed it, or that of the last epoch.
KINDS: Dict[str, Any] = {
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
    "accumulating": (
        {"trainer.num_gradient_accumulation_steps": 2, "data_loader.num_workers": 1},
        7,
        6,
    ),
}


def config(**changes: Any) -> Dict[str, Any]:
    """With two tasks, in 7 batches an epoch."""
    tasks = list(SIZES)
    params: Dict[str, Any] = {
        "dataset_reader": {
            "type": "multitask",
            "readers": {task: {"type": "tests.helpers.loading.NumbersReader"} for task in tasks},
        },
        "train_data_path": {task: str(size) for task, size in SIZES.items()},
        "validation_data_path": {"a": "3", "b": "3"},
        "data_loader": {"type": "multitask", "batch_size": 3},
        "model": {
            "type": "multitask",
            "backbone": {"type": "tests.data.data_loaders.test_multitask_data_loader.Backbone"},
            "heads": {
                task: {"type": "tests.data.data_loaders.test_multitask_data_loader.ClassHead"}
                for task in tasks
            },
        },
        "trainer": {
            # No Adam: on PyTorch 1.12 it moves a head that has run before in every batch, and a
            # checkpoint does not say which have.
            "optimizer": {"type": "sgd", "lr": 0.1},
            "num_epochs": 4,
            "learning_rate_scheduler": {"type": "linear_with_warmup", "warmup_steps": 2},
            "checkpointer": {"save_every_num_batches": 1},
            "callbacks": [{"type": "tests_recording"}, {"type": "multitask_data"}],
        },
    }
    for place, value in changes.items():
        part, key = place.split(".")
        params[part][key] = value
    return params


def train(params: Dict[str, Any], folder: Path, name: str, *options: str) -> Path:
    """Trains in this process."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(params))
    run_allennlp_here(*["train", path, "-s", folder / name, *options, *PACKAGES], directory=folder)
    return folder / name


def train_until_killed(params: Dict[str, Any], folder: Path, name: str, after: int) -> Path:
    """Trains in a process that is killed after so many batches."""
    params = json.loads(json.dumps(params))
    params["trainer"]["callbacks"][0]["kill_after"] = after
    path = folder / f"{name}.json"
    path.write_text(json.dumps(params))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "allennlp", "train", path, "-s", folder / name, *PACKAGES],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr[-3000:]
    return folder / name


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_run_goes_on_with_what_it_had_not_seen(kind: str, tmp_path: Path) -> None:
    changes, killed, saved = KINDS[kind]
    params = config(**changes)
    unbroken = train(params, tmp_path, "unbroken")
    resumed = train_until_killed(params, tmp_path, "resumed", killed)
    assert len(read_trained(resumed)) == killed
    train(json.loads((resumed / "config.json").read_text()), tmp_path, "resumed", "--recover")

    expected, found = read_trained(unbroken), read_trained(resumed)
    assert found[:killed] == expected[:killed]
    assert found[killed:] == expected[saved:]
    # With the same instances and learning rates, it comes to the same weights.
    weights = torch.load(resumed / "best.th")
    for name, value in torch.load(unbroken / "best.th").items():
        assert torch.allclose(weights[name], value, atol=1e-6), name


def test_a_checkpoint_without_a_state(caplog: pytest.LogCaptureFixture) -> None:
    callback = MultiTaskDataCallback("")
    callback.load_state_dict({})
    loader, twin = make_loader({"a": 5}), make_loader({"a": 5})
    callback.on_start(SimpleNamespace(data_loader=loader))
    assert epoch(loader) == epoch(twin)
    assert messages(caplog) == [
        "The checkpoint has no state of a multitask data loader, as the run was begun without the "
        "callback 'multitask_data'. So all earlier epochs are loaded again."
    ]


def test_each_process_goes_on_from_its_own_state(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    loaders = [make_loader({"a": 5}, seed=seed) for seed in (1, 2)]
    states = [loader.state_dict() for loader in loaders]
    expected = [epoch(loader) for loader in loaders]
    assert expected[0] != expected[1]
    trainer = SimpleNamespace(
        _start_after_batches_in_epoch_completed=0, _num_gradient_accumulation_steps=1
    )

    def batches_of(rank: int, processes: int) -> Any:
        monkeypatch.setattr(multitask_data, "is_distributed", lambda: True)
        monkeypatch.setattr(dist, "get_rank", lambda: rank)
        monkeypatch.setattr(dist, "get_world_size", lambda: processes)
        monkeypatch.setattr(dist, "all_gather_object", lambda found, own: found.__setitem__(0, own))
        trainer.data_loader = make_loader({"a": 5}, seed=3)
        callback = MultiTaskDataCallback("")
        callback.load_state_dict({"loaders": states})
        callback.on_start(trainer)
        assert len(callback.state_dict()["loaders"]) == processes
        return epoch(trainer.data_loader)

    assert [batches_of(rank, 2) for rank in range(2)] == expected
    assert messages(caplog) == []
    assert batches_of(2, 3) == expected[1]
    assert messages(caplog) == [
        "The checkpoint is that of 2 processes, and now there are 3, which share out the instances "
        "in another way: some may come twice, and some later than the others."
    ]


def test_an_epoch_that_the_trainer_leaves_early_is_over() -> None:
    loader, twin = make_loader({"a": 5}), make_loader({"a": 5})
    callback = MultiTaskDataCallback("")
    callback.on_start(SimpleNamespace(data_loader=loader))
    started = callback.state_dict()
    batches = iter(loader)
    next(batches)
    assert callback.state_dict() == started
    next(batches)  # fetched, and dropped because another process has come to its end
    used = {"_batches_in_epoch_completed": 1, "_num_gradient_accumulation_steps": 1}
    callback.on_epoch(SimpleNamespace(**used), {}, 0)
    assert callback.state_dict()["loaders"][0]["batches"] == [1]
    resumed = make_loader({"a": 5}, seed=9)
    resumed.load_state_dict(callback.state_dict()["loaders"][0])
    epoch(twin)
    assert epoch(resumed) == epoch(twin)


def test_the_scheduler_gets_the_metrics_too() -> None:
    class Listening(RoundRobinScheduler):
        def update_from_epoch_metrics(self, epoch_metrics: Any) -> None:
            self.heard = dict(epoch_metrics)

    scheduler = Listening(2)
    callback = MultiTaskDataCallback("")
    callback.on_start(SimpleNamespace(data_loader=make_loader({"a": 5}, scheduler)))
    used = {"_batches_in_epoch_completed": 3, "_num_gradient_accumulation_steps": 1}
    callback.on_epoch(SimpleNamespace(**used), {"loss": 0.5}, 0)
    assert scheduler.heard == {"loss": 0.5}


def test_another_loader() -> None:
    with pytest.raises(ConfigurationError) as error:
        MultiTaskDataCallback("").on_start(SimpleNamespace(data_loader=SimpleDataLoader([], 1)))
    assert str(error.value) == (
        "The trainer callback 'multitask_data' requires the data loader 'multitask' of "
        "multitask_model, but it is a SimpleDataLoader. Change the type of the data_loader, or "
        "leave out the callback."
    )
