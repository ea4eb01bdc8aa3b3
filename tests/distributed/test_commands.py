"""`allennlp train` in two processes."""

import json
import shutil
from pathlib import Path
from typing import Any, Dict

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.nn.parallel import DdpAccelerator

from tests.helpers.commands import run_allennlp
from tests.helpers.distributed_training import make_config, write_data
from tests.helpers.messages import exactly
from tests.helpers.multitask import tiny_model

pytestmark = pytest.mark.slow

METRICS = {
    "many": "+pos_accuracy",
    "kinds": "+kind_accuracy",
    "one": "-stars_mae",
    "trees": "+tree_UAS",
    "raw": "-words_loss",
}


def make_dynamic_config(folder: Path) -> Dict[str, Any]:
    write_data(folder)
    config = make_config(folder, distributed={"cuda_devices": [-1, -1]}, evaluate_on_test=True)
    config["test_data_path"] = config["validation_data_path"]
    sampler = {"type": "dynamic", "metrics": METRICS}
    config["data_loader"].update(sampler=sampler, instances_per_epoch=25)
    config["trainer"]["callbacks"] = [{"type": "multitask_data"}]
    config["trainer"]["validation_metric"] = "-loss"
    config["trainer"]["optimizer"]["lr"] = 1e-3  # so that the last epoch is the best
    return config


def train(config: Dict[str, Any], folder: Path, recover: bool = False) -> Dict[str, float]:
    path = folder.with_suffix(".json")
    path.write_text(json.dumps(config))
    options = ["--recover"] if recover else []
    for package in ("multitask_model", "tests.helpers.distributed_training"):
        options += ["--include-package", package]
    run_allennlp("train", path, "-s", folder, *options, directory=folder.parent)
    metrics: Dict[str, float] = json.loads((folder / "metrics.json").read_text())
    return metrics


def of_split(metrics: Dict[str, float], prefix: str) -> Dict[str, float]:
    names = [name for name in metrics if name.startswith(prefix) and name != f"{prefix}loss"]
    return {name[len(prefix) :]: metrics[name] for name in names}


def test_training_from_a_config_is_exact_and_can_be_recovered(tmp_path: Path) -> None:
    config = make_dynamic_config(tmp_path)
    folder = tmp_path / "run"
    metrics = train(config, folder)
    # The test data are the validation data, but one process evaluates them alone.
    assert metrics["best_epoch"] == 1
    in_two = of_split(metrics, "best_validation_")
    assert len(in_two) == 24
    assert of_split(metrics, "test_") == pytest.approx(in_two, abs=1e-6)

    # Interrupted after the first epoch, and recovered.
    for path in [*folder.glob("*_e2_b0.th"), *folder.glob("metrics*.json")]:
        path.unlink()
    (folder / "best.th").unlink()
    shutil.rmtree(folder / "log", ignore_errors=True)
    recovered = train(config, folder, recover=True)
    names = [n for n in metrics if not n.endswith(("_duration", "_MB", "epoch", "epochs"))]
    assert {name: recovered[name] for name in names} == {name: metrics[name] for name in names}


def test_names_of_parameters_are_those_of_the_model(tmp_path: Path) -> None:
    write_data(tmp_path)
    config = make_config(tmp_path, distributed={"cuda_devices": [-1, -1]})
    config["trainer"]["no_grad"] = ["^_heads.kind"]
    config["trainer"]["optimizer"]["parameter_groups"] = [[["^_heads.tree"], {"lr": 0.0}]]
    train(config, tmp_path / "run")
    first, last = (torch.load(tmp_path / "run" / f"model_state_e{n}_b0.th") for n in (1, 2))
    changed = {".".join(name.split(".")[:2]) for name in last if not first[name].equal(last[name])}
    assert {"_heads.kind", "_heads.tree"}.isdisjoint(changed)
    assert {"_heads.pos", "_heads.stars"} <= changed


def test_a_backbone_that_waits_for_other_processes_is_refused() -> None:
    accelerator = DdpAccelerator.from_params(
        Params({"type": "torch"}), local_rank=0, world_size=2, cuda_device=-1
    )
    model = tiny_model()
    model.backbone.norm = torch.nn.SyncBatchNorm(2)
    message = (
        "Distributed training requires a backbone that does not wait for other processes, which "
        "may have no batch in a step, but got one with SyncBatchNorm. Replace it, for example by "
        "LayerNorm."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        accelerator.wrap_model(model)


def test_fsdp_is_refused() -> None:
    accelerator = DdpAccelerator.from_params(
        Params({"type": "fairscale_fsdp"}), local_rank=0, world_size=2, cuda_device=-1
    )
    message = (
        "Distributed training of a MultiTaskModel requires the DdpAccelerator 'torch', but got "
        "'fairscale_fsdp', which gathers the parameters of all heads in each batch and waits for "
        "processes that run other heads. Remove ddp_accelerator from the config."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        accelerator.wrap_model(tiny_model())
