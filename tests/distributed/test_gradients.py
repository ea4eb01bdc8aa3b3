"""Gradients of several processes, compared with those of one process on the joined batch."""

import pickle
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import pytest
import torch
from allennlp.data import Instance
from allennlp.nn.regularizers import L2Regularizer, RegularizerApplicator
from torch.nn.parallel import DistributedDataParallel

from multitask_model.distributed import FILLER
from multitask_model.weighting import LossWeighting
from tests.helpers.distributed_training import process_group
from tests.helpers.models import make_instance
from tests.helpers.multitask import batch_of, tiny_model
from tests.helpers.processes import run_processes

pytestmark = pytest.mark.slow

Gradients = Dict[str, Optional[torch.Tensor]]

TASKS = {"a": ["a"], "b": ["b"], "ac": ["a", "c"], "d": ["d"]}
# The instances of each process in a step: a task and a label, if there is one.
STEPS: Dict[str, List[List[str]]] = {
    "the same task": [["a0", "a1"], ["a2", "a0"]],
    "different numbers of rows": [["a0", "a1", "a2"], ["a1"]],
    "other heads in the other process": [["a0", "a1"], ["b2"]],
    "mixed batches": [["a0", "b1", "ac2"], ["ac0", "b2", "b1"]],
    "missing labels": [["a0", "a-", "b1"], ["b-", "a2", "a1"]],
    "no label in one process": [["a-", "a-"], ["a2", "b1"]],
    "no batch in one process": [["a0", "b1"], []],
}
MODELS: Dict[str, Dict[str, Any]] = {
    "heads": {"loss_weights": {"b": 3.0}},
    "instances": {"loss_reduction": "instances", "loss_weights": {"a": 0.5}},
    "regularizer": {"regularizer": RegularizerApplicator([("", L2Regularizer(0.1))])},
    "frozen backbone": {},
    "frozen backbone and head": {},
    "infinite outputs": {},
    "backbone loss": {"loss_weights": {"backbone": 2.0}},
    "weighting": {},
}
FROZEN = {
    "frozen backbone": ["_backbone"],
    "frozen backbone and head": ["_backbone", "_heads.b"],
}


def instances_of(step: List[str]) -> List[Instance]:
    return [
        make_instance(
            f"w{i} w{i + 1}",
            row[:-1],
            label=None if row[-1] == "-" else f"class{row[-1]}",
        )
        for i, row in enumerate(step)
    ]


def add_infinity(module: Any, inputs: Any, outputs: Dict[str, Any]) -> Dict[str, Any]:
    mask = outputs["encoded_text_mask"]
    encoded = outputs["encoded_text"]
    return {**outputs, "scores": encoded.sum(-1).masked_fill(mask, float("-inf"))}


def add_loss(module: Any, inputs: Any, outputs: Dict[str, Any]) -> Dict[str, Any]:
    mask = outputs["encoded_text_mask"].unsqueeze(-1)
    sums = (outputs["encoded_text"] * mask).sum((1, 2))
    return {**outputs, "loss": sums.square().mean()}


class LearnedWeighting(LossWeighting):
    """Has parameters for each head, and changes a buffer."""

    def set_heads(self, names: Sequence[str]) -> None:
        self.scales = torch.nn.ParameterDict({n: torch.nn.Parameter(torch.ones(())) for n in names})
        self.mean: torch.Tensor
        self.register_buffer("mean", torch.ones(()))

    def forward(self, losses: Dict[str, torch.Tensor]) -> torch.Tensor:
        total = torch.stack([self.scales[name] * loss for name, loss in losses.items()]).sum()
        self.mean = self.mean + total.detach()
        return total * self.mean


HOOKS = {"infinite outputs": add_infinity, "backbone loss": add_loss}


def make_model(name: str) -> Any:
    weighting = LearnedWeighting() if name == "weighting" else None
    model = tiny_model("abcd", task_heads=TASKS, loss_weighting=weighting, **MODELS[name])
    for parameter_name, parameter in model.named_parameters():
        parameter.requires_grad = not parameter_name.startswith(tuple(FROZEN.get(name, ())))
    if name in HOOKS:
        model.backbone.register_forward_hook(HOOKS[name])
    return model


def loss_of(model: Any, outputs: Dict[str, torch.Tensor]) -> torch.Tensor:
    """The loss that AllenNLP's trainer minimizes."""
    penalty = model.get_regularization_penalty()
    return outputs["loss"] if penalty is None else outputs["loss"] + penalty


def gradients_of(model: Any) -> Gradients:
    return {
        name: None if parameter.grad is None else parameter.grad.clone()
        for name, parameter in model.named_parameters()
    }


def run_process(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    found = {}
    with process_group(Path(folder), rank, 2):
        for name in MODELS:
            for step, of_processes in STEPS.items():
                model = make_model(name)
                wrapped = DistributedDataParallel(model, find_unused_parameters=True)
                rows = of_processes[rank]
                batch = batch_of(instances_of(rows)) if rows else {FILLER: True}
                outputs = wrapped(**batch)
                loss = loss_of(model, outputs)
                loss.backward()
                found[name, step] = loss.item(), gradients_of(model)
    (Path(folder) / f"{rank}").write_bytes(pickle.dumps(found))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> List[Any]:
    folder = tmp_path_factory.mktemp("gradients")
    run_processes(run_process, str(folder))
    return [pickle.loads((folder / str(rank)).read_bytes()) for rank in (0, 1)]


@pytest.mark.parametrize("name", sorted(MODELS))
@pytest.mark.parametrize("step", sorted(STEPS))
def test_gradients_are_those_of_one_process_on_the_joined_batch(
    found: List[Any], name: str, step: str
) -> None:
    model = make_model(name)
    instances = [instance for rows in STEPS[step] for instance in instances_of(rows)]
    loss = loss_of(model, model(**batch_of(instances)))
    loss.backward()
    for of_process in found:
        loss_of_process, gradients = of_process[name, step]
        assert loss_of_process == pytest.approx(loss.item(), abs=1e-6)
        for parameter, expected in gradients_of(model).items():
            if expected is None:
                assert gradients[parameter] is None, parameter
            else:
                torch.testing.assert_close(gradients[parameter], expected, atol=1e-6, rtol=1e-5)
