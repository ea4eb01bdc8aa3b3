"""`MultiTaskModel`: one backbone, many heads, a joint loss."""

from typing import Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple

import numpy
import torch
from allennlp.common.util import is_distributed
from allennlp.data import Instance, Vocabulary
from allennlp.models.heads import Head
from allennlp.models.model import Model
from allennlp.modules import Backbone
from allennlp.nn import InitializerApplicator
from allennlp.nn import util as nn_util
from overrides import overrides

from multitask_model.data.collate import collate
from multitask_model.errors import check_known
from multitask_model.pretrained import (
    head_of,
    load_pretrained,
    other_heads_allowed,
    without_other_heads,
)
from multitask_model.routing.arguments import Router, available_to_heads, unwrap
from multitask_model.routing.calls import call_in_parts, fields_of_all_rows
from multitask_model.routing.checks import (
    as_module_dict,
    check_components,
    has_penalty,
    kind_of_input,
    put_head,
)
from multitask_model.routing.outputs import (
    BACKBONE,
    LOSS,
    OutputNames,
    SeparatedOutputs,
    add_metrics,
)
from multitask_model.routing.partial import Partial, has_partial
from multitask_model.routing.rows import group_rows
from multitask_model.routing.tasks import TaskHeads, check_tasks
from multitask_model.training.metrics.mean_losses import MeanLosses
from multitask_model.training.metrics.per_task_metrics import PerTaskMetrics
from multitask_model.weighting.joint_loss import LOSS_REDUCTIONS, as_scalar, joint_loss


@Model.register("multitask", exist_ok=True)
class MultiTaskModel(Model):
    """
    A `MultiTaskModel` has a `Backbone` that encodes its inputs, and heads that make predictions
    from what was encoded. The joint loss is the sum of the heads' losses, each times its weight.

    `forward` takes whatever fields the instances have. The backbone gets those of them, and each
    head those of them and of the backbone's outputs, that its `forward` has arguments for. A head
    gets the rows of the instances whose `task` it serves. The backbone is called once per batch,
    however many heads there are.

    Instances need not have the same fields (`multitask_model.data.collate`). A head whose rows all
    have a field, or all lack it, is called once; one whose rows partly have it, once for each kind.

    Registered as a `Model` with name "multitask".

    # Parameters

    vocab : `Vocabulary`
    backbone : `Backbone`
    heads : `Dict[str, Head]`
        At least one. The order of the heads is the order of losses, outputs and metrics.
    task_heads : `Dict[str, List[str]]`, optional (default = the head of the same name)
        The heads that serve each task: several heads for one task, several tasks for one head. An
        instance may have a `heads` field, a list of names, that narrows the heads that serve it.
    loss_weights : `Dict[str, float]`, optional (default = `1.0` each)
        What each head's loss is multiplied by in the joint loss. Heads that are left out have 1.0.
        A backbone may return a `loss` too: it joins the sum, with the weight of `"backbone"`.
    loss_reduction : `str`, optional (default = `"heads"`)
        With w_h the weight and L_h the loss of head h, its mean over its rows,

        - `"heads"`: loss = Σ_h w_h · L_h, as in AllenNLP. One instance of a head that has few in
          the batch weighs more than one of a head that has many.
        - `"instances"`: loss = Σ_h w_h · (rows_h / B) · L_h, with rows_h the number of rows that
          L_h is for, and B that of the batch. One instance counts one instance.

        A backbone's own loss is for all rows.
    per_task_metrics : `bool`, optional (default = `False`)
        Whether the metrics of a head that serves several tasks are reported for each task too, as
        `TASK_HEAD_METRIC`. The cost is a second forward pass of such a head on every batch, without
        gradients and in evaluation mode. Not for distributed training.
    pretrained_file : `str`, optional (default = `None`)
        An archive to take the weights of the backbone, and of the heads that both have, from. Heads
        that it lacks are freshly initialised, those that are missing here are left out, and both
        are logged. The vocabulary must begin with that of the archive: in a config,
        `"vocabulary": {"type": "extend", "directory": ARCHIVE}`.
    arg_name_mapping : `Dict[str, Dict[str, str]]`, optional (default = no changes)
        For each component (`"backbone"` or the name of a head), new names for the fields and
        outputs that it is offered: `{"backbone": {"question": "text", "review": "text"}}`. Several
        may lead to one argument of the backbone as long as no batch, and to one of a head as long
        as no instance, has more than one of them.
    allowed_arguments : `Dict[str, Set[str]]`, optional (default = inferred)
        For each component, the arguments that may be passed on to it. For components that are left
        out, it is all that their `forward` takes; if that takes `**kwargs`, whatever is available.
    initializer : `InitializerApplicator`, optional (default = `InitializerApplicator()`)
        Initializes the parameters of the whole model.
    **kwargs : `Any`
        `regularizer`, `serialization_dir` and `ddp_accelerator` of `Model`.

    # Raises

    `ConfigurationError`
        If there are no heads, a head has a name that cannot be used, or `task_heads`,
        `loss_weights`, `loss_reduction`, `arg_name_mapping` or `allowed_arguments` name something
        that is not there; or if the weights in `pretrained_file` do not fit.
    """

    default_predictor = "multitask"

    def __init__(
        self,
        vocab: Vocabulary,
        backbone: Backbone,
        heads: Dict[str, Head],
        *,
        task_heads: Optional[Dict[str, List[str]]] = None,
        loss_weights: Optional[Dict[str, float]] = None,
        loss_reduction: str = "heads",
        per_task_metrics: bool = False,
        pretrained_file: Optional[str] = None,
        arg_name_mapping: Optional[Dict[str, Dict[str, str]]] = None,
        allowed_arguments: Optional[Dict[str, Set[str]]] = None,
        initializer: InitializerApplicator = InitializerApplicator(),  # noqa: B008
        **kwargs: Any,
    ) -> None:
        super().__init__(vocab, **kwargs)
        self._backbone = backbone
        self._heads = as_module_dict(heads)
        components: Dict[str, torch.nn.Module] = {BACKBONE: backbone, **heads}
        loss_weights, mapping = loss_weights or {}, arg_name_mapping or {}
        allowed = allowed_arguments or {}
        check_components(
            components,
            loss_weights=loss_weights,
            arg_name_mapping=mapping,
            allowed_arguments=allowed,
        )
        check_known("loss_reduction", "a way to add up losses", [loss_reduction], LOSS_REDUCTIONS)

        self._loss_weights = {name: loss_weights.get(name, 1.0) for name in components}
        self._routers = {
            name: Router(name, module, mapping.get(name), allowed.get(name))
            for name, module in components.items()
        }
        self._tasks = TaskHeads(list(heads), task_heads)
        self._loss_reduction = loss_reduction
        self._task_metrics = PerTaskMetrics(self._tasks, self._heads) if per_task_metrics else None
        self._output_names = OutputNames(list(heads))
        self._heads_called: Set[str] = set()
        self._mean_losses = MeanLosses()
        self._is_regularized = any(map(has_penalty, (self, *map(unwrap, heads.values()))))
        initializer(self)
        if pretrained_file is not None:
            load_pretrained(self, pretrained_file)

    def add_head(
        self,
        name: str,
        head: Head,
        tasks: Optional[Sequence[str]] = None,
        *,
        loss_weight: float = 1.0,
        arg_name_mapping: Optional[Dict[str, str]] = None,
        allowed_arguments: Optional[Set[str]] = None,
    ) -> None:
        """
        Adds a head to a model that is already there. It comes last in the order of the heads.

        # Parameters

        name : `str`
        head : `Head`
        tasks : `Sequence[str]`, optional (default = `[name]`)
            The tasks that it serves: new ones, or ones that other heads serve already.
        loss_weight : `float`, optional (default = `1.0`)
        arg_name_mapping : `Dict[str, str]`, optional (default = no changes)
        allowed_arguments : `Set[str]`, optional (default = inferred)

        # Raises

        `ConfigurationError`
            If the name is taken or cannot be used, `tasks` is not a list of different names, or
            a mapping or an allowed argument names something that `forward` of the head does not
            take. Then nothing is added.
        """
        tasks = [name] if tasks is None else tasks
        check_tasks(name, tasks)
        router = Router(name, head, arg_name_mapping, allowed_arguments)
        put_head(self._heads, name, head)
        self._routers[name] = router
        self._loss_weights[name] = loss_weight
        self._tasks.add(name, tasks)
        if self._task_metrics is not None:
            self._task_metrics = PerTaskMetrics(self._tasks, self._heads)
        self._output_names.add_head(name)
        self._is_regularized |= has_penalty(unwrap(head))

    def forward(self, **kwargs: Any) -> Dict[str, torch.Tensor]:  # type: ignore[override]
        """
        # Parameters

        task : `List[str]`
            The task of each of the B instances, which says which heads serve it.
        heads : `List[Optional[List[str]]]`, optional
            The heads of each instance, among those that serve its task; `None` for all of them.
        **kwargs : `Any`
            The other fields of the batch. Nothing in them is changed.

        # Returns

        `Dict[str, torch.Tensor]`
            The backbone's outputs, each head's outputs with `HEAD_` before their names (one row
            for each instance that the head served), and the joint `loss` of shape `[]`, if any
            component had a loss. If only one had, and its weight is 1, and there is no
            regularizer, the joint loss is that very tensor.

        # Raises

        `ValueError`
            If the batch has no `task`, an unknown task or no instances; if only some instances have
            what the backbone takes; if a component lacks a required argument or is offered two
            values for one; if an input has the name of a backbone output; if two outputs have one
            name; if a loss is not one number.
        """
        rows = self._tasks.rows(kwargs)
        outputs: Dict[str, Any] = {}
        losses: Dict[str, Any] = {}
        # Straight from the dictionary of modules: `self._backbone` would search three of them.
        modules: Dict[str, Any] = self._modules

        partial = has_partial(kwargs)
        backbone_router = self._routers[BACKBONE]
        inputs = fields_of_all_rows(backbone_router, kwargs) if partial else kwargs
        plan = backbone_router.bind(tuple(inputs))
        encoded = modules["_backbone"](**{key: inputs[name] for key, name in plan.items()})
        self._collect(BACKBONE, encoded, outputs, losses)
        available = available_to_heads(kwargs, encoded)
        names, batch_size = tuple(available), len(kwargs["task"])
        counts: Dict[str, int] = {}
        for name, head_rows in rows.items():
            head, router = modules["_heads"][name], self._routers[name]
            if partial:
                part, counts[name] = call_in_parts(
                    name, head, router, available, head_rows, batch_size
                )
            else:
                # Without a name for the arguments, so that they do not outlive the call.
                plan = router.bind(names)
                part = head(**{key: head_rows.take(available[n]) for key, n in plan.items()})
            self._heads_called.add(name)
            self._collect(name, part, outputs, losses)
            if self._task_metrics is not None:
                self._task_metrics.update(name, router, available, head_rows)

        if losses:
            weights = self._loss_weights
            if self._loss_reduction == "instances":
                counts = {**{n: len(r.indices) for n, r in rows.items()}, **counts}
                weights = {n: counts.get(n, batch_size) / batch_size * weights[n] for n in losses}
            outputs[LOSS] = joint_loss(losses, weights, own=self._is_regularized)
        return outputs

    def _collect(
        self, component: str, part: Mapping[str, Any], outputs: Dict[str, Any], losses: Dict
    ) -> None:
        """Puts what one component returned among the outputs, and its loss among the losses."""
        self._output_names.add(outputs, component, part)
        loss = part.get(LOSS)
        if loss is not None:
            losses[component] = loss = as_scalar(component, loss)
            self._mean_losses.add(component, loss)

    @overrides
    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        """
        # Returns

        `Dict[str, float]`
            The metrics of every head that ran since the last reset, as `HEAD_METRIC`
            (`_HEAD_METRIC` for a hidden `_METRIC`), with the mean of its losses as
            `HEAD_loss` unless the head reports a `loss` itself. `backbone_loss` likewise, for a
            backbone with a loss.

        # Raises

        `ValueError`
            If the metrics of two heads have the same name.
        """
        metrics: Dict[str, float] = {}
        if reset and is_distributed():
            # Every process gets here at the end of an epoch, and all must see the same means.
            self._mean_losses.reduce([BACKBONE, *self._tasks.positions])
        mean_losses = self._mean_losses.get()
        if BACKBONE in mean_losses:
            metrics[f"{BACKBONE}_{LOSS}"] = mean_losses[BACKBONE]
        for name in sorted(self._heads_called, key=self._tasks.positions.__getitem__):
            part = dict(self._head(name).get_metrics(reset))
            if name in mean_losses:
                part.setdefault(LOSS, mean_losses[name])
            add_metrics(metrics, name, part)
        if self._task_metrics is not None:
            for prefix, part in self._task_metrics.get(reset):
                add_metrics(metrics, prefix, part)
        if reset:
            self._heads_called.clear()
            self._mean_losses.reset()
        return metrics

    @overrides
    def make_output_human_readable(
        self, output_dict: Dict[str, torch.Tensor]
    ) -> Dict[str, torch.Tensor]:
        """
        Lets the backbone, and every head that has outputs, make its own outputs readable.

        # Parameters

        output_dict : `Dict[str, torch.Tensor]`
            What `forward` returned. It is not changed.

        # Returns

        `Dict[str, torch.Tensor]`
            Those outputs, and what the components made of them.
        """
        # What only some rows of a head have, a head could not make readable as it does a tensor.
        whole = {n: value for n, value in output_dict.items() if not isinstance(value, Partial)}
        parts = self._output_names.split(whole)
        encoded = parts.pop(BACKBONE, {})
        readable: Dict[str, Any] = {}
        backbone: Any = unwrap(self._backbone)
        self._output_names.add(readable, BACKBONE, backbone.make_output_human_readable({**encoded}))
        readable.update({key: output_dict[key] for key in output_dict if key not in encoded})
        for name in sorted(parts, key=self._tasks.positions.__getitem__):
            self._output_names.add(
                readable, name, self._head(name).make_output_human_readable(parts[name])
            )
        return readable

    @overrides
    def forward_on_instances(self, instances: List[Instance]) -> List[Dict[str, numpy.ndarray]]:
        """
        # Parameters

        instances : `List[Instance]`
            Of any mix of tasks. Those with unlike inputs for the backbone go through it separately.

        # Returns

        `List[Dict[str, numpy.ndarray]]`
            For each instance, in the order of `instances`, the readable outputs of the backbone and
            of the heads that served it, and nothing of other heads.
        """
        results: List[Dict[str, numpy.ndarray]] = [{} for _ in instances]
        router = self._routers[BACKBONE]
        kinds = [
            kind_of_input({n: i[n] for n in router.named_arguments(i.fields)}) for i in instances
        ]
        for indices in group_rows(kinds).values():
            for i, outputs in zip(indices, self._forward_on_like([instances[i] for i in indices])):
                results[i] = outputs
        return results

    def _forward_on_like(self, instances: List[Instance]) -> List[Dict[str, numpy.ndarray]]:
        for instance in instances:
            instance.index_fields(self.vocab)
        batch = nn_util.move_to_device(collate(instances), self._get_prediction_device())
        with torch.no_grad():
            outputs = self.make_output_human_readable(self(**batch))
        rows = self._tasks.rows(batch)
        separated = SeparatedOutputs(outputs, self._output_names, rows, len(instances))
        for name in separated.inseparable:
            self._maybe_warn_for_unseparable_batches(name)
        return separated.instances

    @overrides
    def get_regularization_penalty(self) -> Optional[torch.Tensor]:
        """
        # Returns

        `Optional[torch.Tensor]`
            The sum of the model's own penalty and those of the heads, each by its regularizer;
            `None` if nothing has a regularizer.
        """
        penalties = [super().get_regularization_penalty()]
        penalties += [self._head(name).get_regularization_penalty() for name in self._heads]
        given = [penalty for penalty in penalties if penalty is not None]
        return sum(given[1:], given[0]) if given else None

    def component_of_output(self, name: str) -> Optional[str]:
        """
        # Returns

        `Optional[str]`
            The component whose output stands under `name` among the outputs of this model:
            `"backbone"` or the name of a head. `None` for the joint loss.
        """
        return self._output_names.find(name)

    @classmethod
    @overrides
    def _load(cls, *args: Any, **kwargs: Any) -> Model:
        # A config may have more or fewer heads than the archive that it is loaded with.
        with other_heads_allowed():
            return super()._load(*args, **kwargs)

    @overrides
    def load_state_dict(self, state_dict: Any, *args: Any, **kwargs: Any) -> Any:
        self._saved_heads = {head_of(name) for name in state_dict} - {None}
        return super().load_state_dict(state_dict, *args, **kwargs)

    @overrides
    def _post_load_state_dict(
        self, missing_keys: List[str], unexpected_keys: List[str]
    ) -> Tuple[List[str], List[str]]:
        keys = without_other_heads(self._heads, self._saved_heads, missing_keys, unexpected_keys)
        return super()._post_load_state_dict(*keys)

    def _head(self, name: str) -> Any:
        """The head itself, whatever it may be wrapped in."""
        head = self._heads[name]
        return head if isinstance(head, Model) else unwrap(head)
