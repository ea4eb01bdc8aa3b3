"""Training with a loss weighting from a config: metrics, parameter groups, and `--recover`."""

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.models import Model
from allennlp.training.callbacks import TrainerCallback
from allennlp.training.optimizers import Optimizer

from multitask_model import MultiTaskModel
from multitask_model.weighting import LossWeighting
from tests.helpers.commands import run_allennlp_here
from tests.helpers.models import TinyBackbone, TinyHead, make_vocab
from tests.helpers.recording import PACKAGES, recording_config
from tests.helpers.training_config import make_config, train
from tests.helpers.weightings import CASES

LEARNED = ["uncertainty", "imtl_l"]
TRACKED = ["dynamic_average", "famo"]


@TrainerCallback.register("tests_interrupting")
class InterruptingCallback(TrainerCallback):
    """Interrupts the training once after 16 batches, within the third epoch."""

    def on_batch(self, trainer: Any, *args: Any, **kwargs: Any) -> None:
        interrupted = Path(self.serialization_dir) / "interrupted"
        if (
            kwargs["is_training"]
            and trainer._total_batches_completed == 16
            and not interrupted.exists()
        ):
            interrupted.touch()
            raise KeyboardInterrupt


def run(folder: Path, config: Dict[str, Any], name: str, *options: str) -> Dict[str, torch.Tensor]:
    """Runs `allennlp train` on a jsonnet file, and returns the weights after the last epoch."""
    (folder / f"{name}.jsonnet").write_text(f"local config = {json.dumps(config)};\nconfig")
    arguments = ["train", f"{name}.jsonnet", "-s", name, *options, *PACKAGES]
    run_allennlp_here(*arguments, directory=folder)
    weights: Dict[str, torch.Tensor] = torch.load(folder / name / "model_state_e4_b0.th")
    return weights


@pytest.mark.slow
@pytest.mark.parametrize("weighting", LEARNED + TRACKED)
def test_a_recovered_run_continues_with_the_same_weights(weighting: str, tmp_path: Path) -> None:
    config = recording_config(**{"model.loss_weighting": {"type": weighting}})
    scheduler = {"type": "roundrobin", "batch_size": 3}
    config["data_loader"] = {"type": "multitask", "scheduler": scheduler}
    expected = run(tmp_path, config, "uninterrupted")
    config["trainer"]["callbacks"].append({"type": "tests_interrupting"})
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, config, "resumed")
    recovered = run(tmp_path, config, "resumed", "--recover")
    assert any(name.startswith("_balancing.") for name in expected)
    for name, value in expected.items():
        torch.testing.assert_close(recovered[name], value, msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("weighting", sorted(set(CASES) - {"sum"}))
def test_the_weight_of_every_head_is_a_metric(weighting: str, tmp_path: Path) -> None:
    config = make_config(tmp_path, loss_weighting={"type": weighting})
    train(config, tmp_path, "run")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    heads = {name for name in metrics if name.endswith("_weight")}
    assert heads == {
        f"{part}_{head}_weight"
        for part in ("training", "validation", "best_validation")
        for head in ("polarity", "genre", "mood")
    }


def tiny_model(weighting: str, **options: Any) -> MultiTaskModel:
    vocab = make_vocab()
    heads = {name: TinyHead(vocab) for name in "ab"}
    loss_weighting = LossWeighting.by_name(weighting)()
    return MultiTaskModel(
        vocab, TinyBackbone(), dict(heads), loss_weighting=loss_weighting, **options
    )


@pytest.mark.parametrize("weighting", LEARNED)
def test_the_optimizer_of_a_config_trains_what_is_learned(weighting: str) -> None:
    model = tiny_model(weighting)
    parameters: List[Any] = list(model.named_parameters())
    params = Params({"type": "adam", "parameter_groups": [[["bias"], {"lr": 0.1}]]})
    optimizer: Any = Optimizer.from_params(params, model_parameters=parameters)
    trained = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert {id(p) for p in model.loss_weighting.parameters()} <= trained


@pytest.mark.parametrize("weighting", LEARNED)
def test_the_documented_parameter_group_is_what_is_learned(weighting: str) -> None:
    assert '"parameter_groups": [[["_balancing"], {"weight_decay": 0.0}]]' in str(
        type(tiny_model(weighting).loss_weighting).__doc__
    )
    model = tiny_model(weighting)
    groups = [[["_balancing"], {"weight_decay": 0.0}]]
    params = Params({"type": "adamw", "weight_decay": 0.5, "parameter_groups": groups})
    optimizer: Any = Optimizer.from_params(params, model_parameters=list(model.named_parameters()))
    without = [p for g in optimizer.param_groups if g["weight_decay"] == 0.0 for p in g["params"]]
    assert {id(p) for p in without} == {id(p) for p in model.loss_weighting.parameters()}


def test_initializers_and_regularizers_of_weights_leave_the_weighting_alone() -> None:
    params = Params(
        {
            "type": "multitask",
            "backbone": {"type": "tests.helpers.models.TinyBackbone"},
            "heads": {"a": {"type": "tests.helpers.models.TinyHead"}},
            "loss_weighting": {"type": "uncertainty"},
            "initializer": {"regexes": [[".*", {"type": "constant", "val": 0.5}]]},
            "regularizer": {"regexes": [["weight", {"type": "l2", "alpha": 1.0}]]},
        }
    )
    model: Any = Model.from_params(params, vocab=make_vocab())
    (learned,) = model.loss_weighting.parameters()
    assert learned.item() == 0.0
    model.get_regularization_penalty().backward()
    assert learned.grad is None


@pytest.mark.slow
def test_the_batches_are_checked_before_the_first_epoch(tmp_path: Path) -> None:
    config = make_config(tmp_path, loss_weighting={"type": "geometric"})
    config["model"]["task_heads"] = {"tweets": ["polarity"], "ewt": ["genre"]}
    config["data_loader"]["scheduler"] = {"type": "homogeneous_roundrobin", "batch_size": 2}
    with pytest.raises(ConfigurationError, match="each task has a single head"):
        train(config, tmp_path, "run")
