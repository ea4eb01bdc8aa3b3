"""The metrics of a head that serves several tasks, separately for each task."""

from typing import Dict, Iterator, Mapping, Set, Tuple, cast

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import is_distributed
from allennlp.models.heads import Head

from multitask_model.distributed import alone
from multitask_model.routing.arguments import Router
from multitask_model.routing.calls import call_head, scalar_loss
from multitask_model.routing.output_names import LOSS
from multitask_model.routing.rows import AllRows, group_rows, select_rows
from multitask_model.routing.signatures import unwrap
from multitask_model.routing.tasks import TaskHeads
from multitask_model.training.metrics.head_metrics import read_metrics
from multitask_model.training.metrics.local_metrics import count_locally
from multitask_model.training.metrics.mean_losses import MeanLosses
from multitask_model.training.metrics.metric_agreement import keep_in_first_process
from multitask_model.training.metrics.metric_exchange import exchange_metrics
from multitask_model.training.metrics.shadow_head import ShadowHead


class PerTaskMetrics:
    """
    Keeps a shadow head for each task of a head that serves several. It has the modules, parameters
    and forward hooks of the head, copies of its buffers, and separate metrics, also after the head
    was changed. After the head was called, its shadow is called for the rows of the task, without
    gradients and in evaluation mode.

    The metrics and the training of the head itself are unaffected. The cost is a second forward
    pass of the head, but not of the backbone.

        >>> class MeanHead(torch.nn.Module):
        ...     def forward(self, stars): return {"loss": stars.mean()}
        ...     def get_metrics(self, reset): return {}
        >>> head, tasks = MeanHead(), TaskHeads(["mean"], {"a": ["mean"], "b": ["mean"]})
        >>> metrics = PerTaskMetrics(tasks, torch.nn.ModuleDict({"mean": head}))
        >>> values = {"task": ["a", "b", "a"], "stars": torch.tensor([1.0, 3.0, 2.0])}
        >>> metrics.update(Router("mean", head), values, AllRows(3))
        >>> list(metrics.get(reset=True))
        [('a_mean', {'loss': 1.5}), ('b_mean', {'loss': 3.0})]

    # Parameters

    tasks : `TaskHeads`
    heads : `torch.nn.ModuleDict`

    # Raises

    `ConfigurationError`
        If the metrics of two pairs of task and head would have the same name.
    """

    def __init__(self, tasks: TaskHeads, heads: torch.nn.ModuleDict) -> None:
        self._heads = heads
        self._shadows: Dict[Tuple[str, str], ShadowHead] = {}
        self._called: Set[str] = set()  # `TASK_HEAD`
        self._mean_losses = MeanLosses()
        self.set_tasks(tasks)

    def set_tasks(self, tasks: TaskHeads) -> None:
        """
        Makes shadow heads for new pairs of task and head. Metrics that were counted are kept.

        # Raises

        `ConfigurationError`
            If the metrics of two pairs would have the same name. Nothing is changed then.
        """
        names: Dict[str, Tuple[str, ...]] = {name: (name,) for name in self._heads}
        shadows: Dict[Tuple[str, str], ShadowHead] = {}
        for head in self._heads:
            served = tasks.tasks_of(head)
            for task in served if len(served) > 1 else ():
                _check_unique(names, task, head)
                shadow = self._shadows.get((task, head))
                shadows[task, head] = shadow or ShadowHead(unwrap(self._heads[head]))
        self._shadows = shadows

    def update(self, router: Router, available: Mapping[str, object], rows: AllRows) -> None:
        """
        # Parameters

        router : `Router`
            The router of the head that was called.
        available : `Mapping[str, object]`
            The values that the head may take, and the `task` of each instance.
        rows : `AllRows`
            The rows of the head.
        """
        name = router.component
        tasks = available["task"]
        assert isinstance(tasks, list)
        for task, positions in group_rows([tasks[i] for i in rows.indices]).items():
            shadow = self._shadows.get((task, name))
            if shadow is None:
                continue
            of_task = select_rows([rows.indices[i] for i in positions], len(tasks))
            module = shadow.follow(unwrap(self._heads[name]))
            if is_distributed():
                count_locally(module)
            with torch.no_grad(), alone():
                outputs, loss_rows = call_head(module, router, available, of_task)
            loss = scalar_loss(name, outputs)
            if loss is not None:
                self._mean_losses.add(f"{task}_{name}", loss, loss_rows)
            self._called.add(f"{task}_{name}")

    def exchange(self) -> None:
        """Gives every process of distributed training the metrics of all processes."""
        shadows = {f"{t}_{h}": cast(Head, s.module) for (t, h), s in self._shadows.items()}
        exchange_metrics(shadows, self._called, self._mean_losses)

    def keep_in_first_process(self) -> None:
        """See the function of this name."""
        keep_in_first_process(cast(Head, shadow.module) for shadow in self._shadows.values())

    def get(self, reset: bool) -> Iterator[Tuple[str, Mapping[str, float]]]:
        """Yields `TASK_HEAD` and its metrics for each task and head that ran since the reset."""
        losses = self._mean_losses.get(reset)
        for (task, head), shadow in self._shadows.items():
            name = f"{task}_{head}"
            if name in self._called:
                module = cast(Head, shadow.module)
                metrics = read_metrics(module, reset, had_loss=name in losses)
                if name in losses:
                    metrics.setdefault(LOSS, losses[name])
                yield name, metrics
        if reset:
            self._called.clear()


def _check_unique(names: Dict[str, Tuple[str, ...]], task: str, head: str) -> None:
    other = names.setdefault(f"{task}_{head}", (task, head))
    if other != (task, head):
        found = f"the head {other[0]!r}" if len(other) == 1 else f"the task and head {other!r}"
        raise ConfigurationError(
            "per_task_metrics needs a unique name for each task and head, but got "
            f"'{task}_{head}' for {(task, head)!r} and for {found}. Rename one of them."
        )
