"""The metrics of a head that serves several tasks, for each task apart."""

import copy
from typing import Any, Dict, Iterator, Mapping, Set, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import is_distributed

from multitask_model.routing.arguments import Router, unwrap
from multitask_model.routing.calls import call_in_parts
from multitask_model.routing.outputs import LOSS
from multitask_model.routing.rows import AllRows, group_rows, select_rows
from multitask_model.routing.tasks import TaskHeads
from multitask_model.training.metrics.mean_losses import MeanLosses
from multitask_model.weighting.joint_loss import as_scalar


class PerTaskMetrics:
    """
    Keeps a twin of the head for each task: one with metrics of its own, and with the very
    parameters and buffers of the head. It is called for the rows of its task, without gradients and
    in evaluation mode, after the head itself was called for all rows. So neither the head's own
    metrics nor its training are other than without this; the cost is a second forward pass of the
    head, though not of the backbone.

    # Parameters

    tasks : `TaskHeads`
    heads : `torch.nn.ModuleDict`
        Those that serve more than one task get twins.

    # Raises

    `ConfigurationError`
        In distributed training, where processes with unlike tasks would wait for each other; or if
        two pairs of task and head have the same name.
    """

    def __init__(self, tasks: TaskHeads, heads: torch.nn.ModuleDict) -> None:
        if is_distributed():
            raise ConfigurationError(
                "per_task_metrics needs training in one process, but this one is distributed. "
                "Leave "
                "it out, and evaluate the tasks apart afterwards."
            )
        self._twins: Dict[Tuple[str, str], Any] = {}
        self._called: Set[Tuple[str, str]] = set()
        self._mean_losses = MeanLosses()
        names: Dict[str, Any] = {name: name for name in heads}
        for head in heads:
            served = tasks.tasks_of(head)
            for task in served if len(served) > 1 else ():
                other = names.setdefault(f"{task}_{head}", (task, head))
                if other != (task, head):
                    raise ConfigurationError(
                        "per_task_metrics needs a name of its own for each task and head, but "
                        f"'{task}_{head}' is {other!r} and {(task, head)!r}. Rename one of them."
                    )
                self._twins[task, head] = _twin(unwrap(heads[head]))

    def update(
        self, name: str, router: Router, available: Mapping[str, Any], rows: AllRows
    ) -> None:
        """
        # Parameters

        name : `str`
            The head.
        router : `Router`
            That of the head.
        available : `Mapping[str, Any]`
            The fields of the batch, `task` among them, and the outputs of the backbone.
        rows : `AllRows`
            The rows of the head.
        """
        tasks = available["task"]
        for task, positions in group_rows([tasks[i] for i in rows.indices]).items():
            twin = self._twins.get((task, name))
            if twin is None:
                continue
            of_task = select_rows([rows.indices[i] for i in positions], len(tasks))
            with torch.no_grad():
                outputs, _ = call_in_parts(name, twin, router, available, of_task, len(tasks))
            # Without a loss there was nothing for a metric to count, and some refuse to be read.
            if outputs.get(LOSS) is not None:
                self._mean_losses.add(f"{task}_{name}", as_scalar(name, outputs[LOSS]))
                self._called.add((task, name))

    def get(self, reset: bool) -> Iterator[Tuple[str, Dict[str, float]]]:
        """For each task and head that had a loss: `TASK_HEAD`, and its metrics."""
        losses = self._mean_losses.get()
        for task, head in self._twins:
            if (task, head) in self._called:
                metrics = dict(self._twins[task, head].get_metrics(reset))
                metrics.setdefault(LOSS, losses[f"{task}_{head}"])
                yield f"{task}_{head}", metrics
        if reset:
            self._called.clear()
            self._mean_losses.reset()


def _twin(head: Any) -> Any:
    shared = [*head.parameters(), *head.buffers(), getattr(head, "vocab", None)]
    twin = copy.deepcopy(head, {id(value): value for value in shared})
    for module, original in zip(twin.modules(), head.modules()):
        # The dictionaries too: moving the head to another device replaces buffers in them.
        module._parameters, module._buffers = original._parameters, original._buffers
    return twin.eval()
