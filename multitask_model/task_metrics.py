"""The metrics of a head that serves several tasks, for each task apart."""

import copy
from typing import Any, Dict, Iterator, List, Mapping, Set, Tuple

import torch
from allennlp.models.model import Model

from multitask_model.batching import AllRows, group_rows, some_rows
from multitask_model.calls import call_in_parts
from multitask_model.losses import MeanLosses, as_scalar
from multitask_model.outputs import LOSS
from multitask_model.routing import Router, unwrap


class TaskMetrics:
    """
    Keeps a copy of the head for each task: one with its own metrics, and with the very parameters
    and buffers of the head. It is called for the rows of its task, without gradients, after the
    head itself was called for all rows. So the head's own metrics are as they would be without
    this; the cost is a second forward pass of the head, though not of the backbone. Random numbers
    that it draws (dropout in training) are taken back.
    """

    def __init__(self) -> None:
        self._copies: Dict[Tuple[str, str], Model] = {}
        self._called: Set[Tuple[str, str]] = set()
        self._mean_losses = MeanLosses()

    def update(
        self, name: str, head: Any, router: Router, available: Mapping[str, Any], rows: AllRows
    ) -> None:
        """
        # Parameters

        name : `str`
        head : `Head`
        router : `Router`
            That of the head.
        available : `Mapping[str, Any]`
            The fields of the batch, `task` among them, and the outputs of the backbone.
        rows : `AllRows`
            The rows of the head.
        """
        tasks = available["task"]
        for task, positions in group_rows([tasks[i] for i in rows.indices]).items():
            of_task = some_rows([rows.indices[i] for i in positions], len(tasks))
            twin = self._copy_for((task, name), head)
            with torch.no_grad(), torch.random.fork_rng(devices=_cuda_devices(head)):
                outputs, _ = call_in_parts(name, twin, router, available, of_task, len(tasks))
            if outputs.get(LOSS) is not None:
                self._mean_losses.add(f"{task}_{name}", as_scalar(name, outputs[LOSS]))
            self._called.add((task, name))

    def _copy_for(self, key: Tuple[str, str], head: Any) -> Model:
        if key not in self._copies:
            head = unwrap(head)
            shared = [*head.parameters(), *head.buffers(), head.vocab]
            twin = copy.deepcopy(head, {id(value): value for value in shared})
            for module, original in zip(twin.modules(), head.modules()):
                # The dictionaries too: moving the head to another device replaces buffers in them.
                module._parameters, module._buffers = original._parameters, original._buffers
            twin.get_metrics(reset=True)
            self._copies[key] = twin
        return self._copies[key].train(head.training)

    def get(self, reset: bool) -> Iterator[Tuple[str, Dict[str, float]]]:
        """For each task and head that ran: `TASK_HEAD`, and its metrics."""
        losses = self._mean_losses.get()
        for task, head in sorted(self._called):
            metrics = dict(self._copies[task, head].get_metrics(reset))
            if f"{task}_{head}" in losses:
                metrics.setdefault(LOSS, losses[f"{task}_{head}"])
            yield f"{task}_{head}", metrics
        if reset:
            self._called.clear()
            self._mean_losses.reset()


def _cuda_devices(module: torch.nn.Module) -> List[int]:
    return sorted({p.device.index for p in module.parameters() if p.device.type == "cuda"})
