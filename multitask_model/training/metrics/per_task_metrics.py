"""The metrics of a head that serves several tasks, separately for each task."""

import copy
from typing import Dict, Iterator, Mapping, Set, Tuple, cast

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import is_distributed
from allennlp.models.heads import Head

from multitask_model.compat.torch_internals import share_parameters
from multitask_model.routing.arguments import Router
from multitask_model.routing.calls import call_head, scalar_loss
from multitask_model.routing.outputs import LOSS
from multitask_model.routing.rows import AllRows, group_rows, select_rows
from multitask_model.routing.signatures import unwrap
from multitask_model.routing.tasks import TaskHeads
from multitask_model.training.metrics.mean_losses import MeanLosses


class PerTaskMetrics:
    """
    Keeps a shadow head for each task of a head that serves several. It has the parameters and
    buffers of the head, and separate metrics. After the head was called, its shadow is called for
    the rows of the task, without gradients and in evaluation mode.

    The metrics and the training of the head itself are unaffected. The cost is a second forward
    pass of the head, but not of the backbone.

    # Parameters

    tasks : `TaskHeads`
    heads : `torch.nn.ModuleDict`

    # Raises

    `ConfigurationError`
        In distributed training, where processes with different tasks would wait for each other; or
        if the metrics of two pairs of task and head would have the same name.
    """

    def __init__(self, tasks: TaskHeads, heads: torch.nn.ModuleDict) -> None:
        if is_distributed():
            raise ConfigurationError(
                "per_task_metrics must not be used in distributed training, but got True. Leave it "
                "out, and evaluate each task separately afterwards."
            )
        self._shadows: Dict[Tuple[str, str], Head] = {}
        self._called: Set[Tuple[str, str]] = set()
        self._mean_losses = MeanLosses()
        names: Dict[str, Tuple[str, ...]] = {name: (name,) for name in heads}
        for head in heads:
            served = tasks.tasks_of(head)
            for task in served if len(served) > 1 else ():
                _check_unique(names, task, head)
                self._shadows[task, head] = _make_shadow(cast(Head, unwrap(heads[head])))

    def update(
        self, router: Router, available: Mapping[str, object], rows: AllRows, is_partial: bool
    ) -> None:
        """
        # Parameters

        router : `Router`
            The router of the head that was called.
        available : `Mapping[str, object]`
            The values that the head may take, and the `task` of each instance.
        rows : `AllRows`
            The rows of the head.
        is_partial : `bool`
            Whether some of the values are `Partial`.
        """
        name = router.component
        tasks = available["task"]
        assert isinstance(tasks, list)
        for task, positions in group_rows([tasks[i] for i in rows.indices]).items():
            shadow = self._shadows.get((task, name))
            if shadow is None:
                continue
            of_task = select_rows([rows.indices[i] for i in positions], len(tasks))
            with torch.no_grad():
                outputs, loss_rows = call_head(shadow, router, available, of_task, is_partial)
            loss = scalar_loss(name, outputs)
            # Without a loss there were no labels, and some metrics cannot be read then.
            if loss is not None:
                self._mean_losses.add(f"{task}_{name}", loss, loss_rows)
                self._called.add((task, name))

    def get(self, reset: bool) -> Iterator[Tuple[str, Mapping[str, float]]]:
        """Yields `TASK_HEAD` and its metrics for each task and head that had a loss."""
        losses = self._mean_losses.get()
        for task, head in self._shadows:
            if (task, head) in self._called:
                metrics = dict(self._shadows[task, head].get_metrics(reset))
                metrics.setdefault(LOSS, losses[f"{task}_{head}"])
                yield f"{task}_{head}", metrics
        if reset:
            self._called.clear()
            self._mean_losses.reset()


def _check_unique(names: Dict[str, Tuple[str, ...]], task: str, head: str) -> None:
    other = names.setdefault(f"{task}_{head}", (task, head))
    if other != (task, head):
        found = f"the head {other[0]!r}" if len(other) == 1 else f"the task and head {other!r}"
        raise ConfigurationError(
            "per_task_metrics needs a unique name for each task and head, but got "
            f"'{task}_{head}' for {(task, head)!r} and for {found}. Rename one of them."
        )


def _make_shadow(head: Head) -> Head:
    shared = [*head.parameters(), *head.buffers(), getattr(head, "vocab", None)]
    shadow = copy.deepcopy(head, {id(value): value for value in shared})
    share_parameters(shadow, head)
    return shadow.eval()
