"""The fast path of `MultiTaskModel.forward`: batches whose instances are all of one task."""

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

import torch
from allennlp.common.checks import ConfigurationError

from multitask_model.compat.torch_internals import is_compiling, modules_by_name
from multitask_model.routing.arguments import MAX_BINDINGS, Binding, Router
from multitask_model.routing.calls import (
    Result,
    Routed,
    available_to_heads,
    call_head,
    call_heads,
    check_outputs,
    scalar_loss,
    scalar_losses,
)
from multitask_model.routing.head_errors import raise_head_error
from multitask_model.routing.inputs import changed_in_place, version_of
from multitask_model.routing.output_names import BACKBONE, LOSS, OutputNames
from multitask_model.routing.partial import Partial
from multitask_model.routing.rows import AllRows, select_all
from multitask_model.routing.tasks import TaskHeads

MAX_SIZES = 16
"""The number of sizes of a batch that a plan remembers."""


class _HeadPlan(NamedTuple):
    name: str
    router: Router
    binding: Binding
    output_names: Mapping[str, str]


class _Plan(NamedTuple):
    backbone: Binding
    encoded: Tuple[str, ...]
    """The names of the backbone's outputs."""
    heads: List[_HeadPlan]
    rows: Dict[int, Dict[str, AllRows]]
    """The rows of the heads, by the size of the batch."""

    def rows_of(self, batch_size: int) -> Dict[str, AllRows]:
        """Returns the rows of all heads, which are those of the batch."""
        if len(self.rows) >= MAX_SIZES:
            self.rows.clear()
        rows = {plan.name: AllRows(batch_size) for plan in self.heads}
        self.rows[batch_size] = rows
        return rows


class OneTaskPath:
    """
    Runs a batch of one task if a batch with the same task, fields and backbone outputs ran before:
    what depends on these alone is then looked up once. Results and checks are the same as without
    the fast path. Batches that it is not for are left to the caller.

        >>> heads = torch.nn.ModuleDict({"a": torch.nn.L1Loss()})
        >>> routers = {name: Router(name, head) for name, head in heads.items()}
        >>> path = OneTaskPath(heads, TaskHeads(["a"]), routers, OutputNames(["a"]))
        >>> path.run(torch.nn.ReLU(), {"task": ["a", "a"]}) is None
        True

    # Parameters

    heads : `torch.nn.ModuleDict`
    tasks : `TaskHeads`
    routers : `Mapping[str, Router]`
        The routers of all components.
    output_names : `OutputNames`
    """

    def __init__(
        self,
        heads: torch.nn.ModuleDict,
        tasks: TaskHeads,
        routers: Mapping[str, Router],
        output_names: OutputNames,
    ) -> None:
        self._heads = heads
        self._modules = modules_by_name(heads)
        self._tasks = tasks
        self._routers = routers
        self._output_names = output_names
        self._plans: Dict[Tuple[str, ...], _Plan] = {}

    def forget(self) -> None:
        """Forgets all batches, because the heads have changed."""
        self._plans.clear()

    def learn(self, batch: Mapping[str, Any], encoded: Mapping[str, object]) -> None:
        """
        Learns from a batch that was run without the fast path.

        # Parameters

        batch : `Mapping[str, object]`
        encoded : `Mapping[str, object]`
            The outputs of the backbone.
        """
        tasks = batch["task"]
        if type(tasks) is not list or tasks[0] != tasks[-1] or is_compiling():
            return
        values = [*batch.values(), *encoded.values()]
        has_special = "heads" in batch or LOSS in encoded or Partial in map(type, values)
        if has_special or len(set(tasks)) > 1 or not batch.keys().isdisjoint(encoded):
            return
        heads = self._tasks.heads_of(tasks[0])
        if any(self._routers[name].copies_inputs for name in (BACKBONE, *heads)):
            return
        if len(self._plans) >= MAX_BINDINGS:
            self._plans.clear()
        names = (*encoded, *batch)
        bindings = {name: self._routers[name].bind(names) for name in heads}
        self._plans[(tasks[0], *batch)] = _Plan(
            self._routers[BACKBONE].bind(tuple(batch)),
            tuple(encoded),
            [
                _HeadPlan(name, self._routers[name], binding, self._output_names.names_of(name))
                for name, binding in bindings.items()
            ],
            {},
        )

    def run(self, backbone: torch.nn.Module, batch: Mapping[str, Any]) -> Optional[Routed]:
        """
        # Parameters

        backbone : `Backbone`
        batch : `Mapping[str, object]`

        # Returns

        `Optional[Routed]`
            What the components returned; `None` if nothing was called, because the batch is not of
            one task or no batch like it has been learned.
        """
        # All in one function: in a step of a light model, a function that is not in the processor's
        # cache takes longer to call than to run.
        tasks = batch.get("task")
        if type(tasks) is not list or not tasks or type(tasks[0]) is not str or is_compiling():
            return None
        plan = self._plans.get((tasks[0], *batch))
        if plan is None or tasks.count(tasks[0]) < len(tasks):
            return None
        arguments = select_all(batch, plan.backbone)
        if arguments is None:
            return None
        encoded = backbone(**arguments)
        rows = plan.rows.get(len(tasks)) or plan.rows_of(len(tasks))
        if type(encoded) is not dict or tuple(encoded) != plan.encoded:
            self._plans.pop((tasks[0], *batch), None)
            return self._run_heads(batch, encoded, rows)
        available = {**encoded, **batch}
        outputs: Dict[str, Any] = encoded.copy()
        losses: Dict[str, torch.Tensor] = {}
        loss_rows: Dict[str, int] = {}
        try:
            for name, router, binding, output_names in plan.heads:
                head, count = self._modules[name], len(tasks)
                arguments = select_all(available, binding) or {}
                try:
                    before: Optional[List[int]] = list(map(version_of, arguments.values()))
                except (AttributeError, RuntimeError):
                    before = None  # not only tensors that have versions
                if not before:
                    of_head, count = call_head(head, router, available, rows[name])
                else:
                    of_head = head(**arguments)
                    if list(map(version_of, arguments.values())) != before:
                        raise ValueError(changed_in_place(name, arguments, before))
                    if type(of_head) is not dict:
                        check_outputs(name, of_head)
                for key, value in of_head.items():
                    outputs[output_names.get(key) or self._output_names.name(name, key)] = value
                loss = of_head.get(LOSS)
                if type(loss) is not torch.Tensor or loss.dim():
                    loss = scalar_loss(name, of_head)
                if loss is not None:
                    losses[name], loss_rows[name] = loss, count
        except (RuntimeError, IndexError, ConfigurationError) as error:
            raise_head_error(name, head, router, available, rows[name], error)
        return available, rows, outputs, losses, loss_rows

    def _run_heads(
        self, batch: Mapping[str, Any], encoded: Mapping[str, object], rows: Mapping[str, AllRows]
    ) -> Routed:
        """Runs the heads on other outputs of the backbone than those that were learned."""
        check_outputs(BACKBONE, encoded)
        available = available_to_heads(batch, encoded)
        of_backbone: Result = (encoded, len(batch["task"]))
        results = {BACKBONE: of_backbone, **call_heads(self._heads, self._routers, available, rows)}
        return (available, rows, self._output_names.merge(results), *scalar_losses(results))
