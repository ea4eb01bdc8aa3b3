"""`MultiTaskModel`: one backbone, many heads, a joint loss."""

from typing import Any, Dict, Hashable, List, Optional, Set

import numpy
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, Instance, Vocabulary
from allennlp.models.heads import Head
from allennlp.models.model import Model
from allennlp.modules import Backbone
from allennlp.nn import InitializerApplicator
from allennlp.nn import util as nn_util
from overrides import overrides

from multitask_model.batching import group_rows, rows_by_head
from multitask_model.errors import check_known
from multitask_model.losses import MeanLosses, as_scalar, joint_loss
from multitask_model.outputs import BACKBONE, LOSS, OutputNames, SeparatedOutputs, add_metrics
from multitask_model.routing import Router, available_to_heads, unwrap


@Model.register("multitask", exist_ok=True)
class MultiTaskModel(Model):
    """
    A `MultiTaskModel` has a `Backbone` that encodes its inputs, and a `Head` for each task, which
    makes predictions from what was encoded. The joint loss is the sum of the heads' losses, each
    times its weight.

    `forward` takes whatever fields the instances have. The backbone gets those of them, and each
    head those of them and of the backbone's outputs, that its `forward` has arguments for. A head
    gets the rows of the instances whose `task` is the head's name.

    Registered as a `Model` with name "multitask".

    # Parameters

    vocab : `Vocabulary`
    backbone : `Backbone`
    heads : `Dict[str, Head]`
        At least one. The order of the heads is the order of losses, outputs and metrics.
    loss_weights : `Dict[str, float]`, optional (default = `1.0` each)
        What each head's loss is multiplied by in the joint loss. Heads that are left out have 1.0.
        A backbone may return a `loss` too: it joins the sum, with the weight of `"backbone"`.
    arg_name_mapping : `Dict[str, Dict[str, str]]`, optional (default = no changes)
        For each component (`"backbone"` or the name of a head), new names for the fields and
        outputs that it is offered: `{"backbone": {"question": "text", "review": "text"}}`. Several
        may lead to one argument, as long as no batch has more than one of them.
    allowed_arguments : `Dict[str, Set[str]]`, optional (default = inferred)
        For each component, the arguments that may be passed on to it. For components that are left
        out, it is all that their `forward` takes; if that takes `**kwargs`, whatever is available.
    initializer : `InitializerApplicator`, optional (default = `InitializerApplicator()`)
        Initializes the parameters of the whole model.
    **kwargs : `Any`
        `regularizer`, `serialization_dir` and `ddp_accelerator` of `Model`.

    # Raises

    `ConfigurationError`
        If there are no heads, a head has a name that cannot be used, or `loss_weights`,
        `arg_name_mapping` or `allowed_arguments` name something that is not there.
    """

    default_predictor = "multitask"

    def __init__(
        self,
        vocab: Vocabulary,
        backbone: Backbone,
        heads: Dict[str, Head],
        *,
        loss_weights: Optional[Dict[str, float]] = None,
        arg_name_mapping: Optional[Dict[str, Dict[str, str]]] = None,
        allowed_arguments: Optional[Dict[str, Set[str]]] = None,
        initializer: InitializerApplicator = InitializerApplicator(),  # noqa: B008
        **kwargs: Any,
    ) -> None:
        super().__init__(vocab, **kwargs)
        self._backbone = backbone
        self._heads = _as_module_dict(heads)
        components: Dict[str, torch.nn.Module] = {BACKBONE: backbone, **heads}
        loss_weights, mapping = loss_weights or {}, arg_name_mapping or {}
        allowed = allowed_arguments or {}
        _check_components("loss_weights", loss_weights, components)
        _check_components("arg_name_mapping", mapping, components)
        _check_components("allowed_arguments", allowed, components)

        self._loss_weights = {name: loss_weights.get(name, 1.0) for name in components}
        self._routers = {
            name: Router(name, module, mapping.get(name), allowed.get(name))
            for name, module in components.items()
        }
        self._positions = {name: i for i, name in enumerate(heads)}
        self._output_names = OutputNames(list(heads))
        self._heads_called: Set[str] = set()
        self._mean_losses = MeanLosses()
        # The trainer adds the penalty of a regularizer to the joint loss in place.
        regularized = (self, *map(unwrap, heads.values()))
        self._is_regularized = any(getattr(m, "_regularizer", None) for m in regularized)
        initializer(self)

    def forward(self, **kwargs: Any) -> Dict[str, torch.Tensor]:  # type: ignore[override]
        """
        # Parameters

        task : `List[str]`
            The task of each of the B instances: the name of the head that serves it.
        **kwargs : `Any`
            The other fields of the batch. Nothing in them is changed.

        # Returns

        `Dict[str, torch.Tensor]`
            The backbone's outputs, each head's outputs with `HEAD_` before their names (one row
            for each instance that the head served), and the joint `loss` of shape `[]`, if any
            component had a loss.

        # Raises

        `ValueError`
            If the batch has no `task`, an unknown task or no instances; if a component lacks a
            required argument or is offered two values for one; if an input has the name of a
            backbone output; if two outputs have one name; if a loss is not one number.
        """
        rows = rows_by_head(kwargs, self._positions)
        outputs: Dict[str, Any] = {}
        losses: Dict[str, Any] = {}

        # Straight from the dictionary of modules: `self._backbone` would search three of them.
        modules: Dict[str, Any] = self._modules
        plan = self._routers[BACKBONE].plan(tuple(kwargs))
        encoded = modules["_backbone"](**{key: kwargs[name] for key, name in plan.items()})
        self._collect(BACKBONE, encoded, outputs, losses)

        available = available_to_heads(kwargs, encoded)
        names, heads = tuple(available), modules["_heads"]
        for head, head_rows in rows.items():
            plan = self._routers[head].plan(names)
            self._heads_called.add(head)
            # Without a name for the rows that were taken, so that they are freed before the next.
            part = heads[head](
                **{key: head_rows.take(available[name]) for key, name in plan.items()}
            )
            self._collect(head, part, outputs, losses)

        if losses:
            outputs[LOSS] = joint_loss(losses, self._loss_weights, own=self._is_regularized)
        return outputs

    def _collect(
        self, component: str, part: Dict[str, Any], outputs: Dict[str, Any], losses: Dict[str, Any]
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
        mean_losses = self._mean_losses.get()
        if BACKBONE in mean_losses:
            metrics[f"{BACKBONE}_{LOSS}"] = mean_losses[BACKBONE]
        for name in sorted(self._heads_called, key=self._positions.__getitem__):
            part = dict(self._head(name).get_metrics(reset))
            if name in mean_losses:
                part.setdefault(LOSS, mean_losses[name])
            add_metrics(metrics, name, part)
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
        parts = self._output_names.split(output_dict)
        encoded = parts.pop(BACKBONE, {})
        readable: Dict[str, Any] = {}
        backbone: Any = unwrap(self._backbone)
        self._output_names.add(readable, BACKBONE, backbone.make_output_human_readable({**encoded}))
        readable.update({key: output_dict[key] for key in output_dict if key not in encoded})
        for name in sorted(parts, key=self._positions.__getitem__):
            self._output_names.add(
                readable, name, self._head(name).make_output_human_readable(parts[name])
            )
        return readable

    @overrides
    def forward_on_instances(self, instances: List[Instance]) -> List[Dict[str, numpy.ndarray]]:
        """
        # Parameters

        instances : `List[Instance]`
            Of any mix of tasks. Those with unlike fields go through the model separately.

        # Returns

        `List[Dict[str, numpy.ndarray]]`
            For each instance, in the order of `instances`, the readable outputs of the backbone and
            of the heads that served it, and nothing of other heads.
        """
        results: List[Dict[str, numpy.ndarray]] = [{} for _ in instances]
        for indices in group_rows([_kind_of_fields(instance) for instance in instances]).values():
            for i, outputs in zip(indices, self._forward_on_like([instances[i] for i in indices])):
                results[i] = outputs
        return results

    def _forward_on_like(self, instances: List[Instance]) -> List[Dict[str, numpy.ndarray]]:
        batch = Batch(instances)
        batch.index_instances(self.vocab)
        tensors = nn_util.move_to_device(batch.as_tensor_dict(), self._get_prediction_device())
        with torch.no_grad():
            outputs = self.make_output_human_readable(self(**tensors))
        rows = rows_by_head(tensors, self._positions)
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

    def _head(self, name: str) -> Any:
        """The head itself, whatever it may be wrapped in."""
        head = self._heads[name]
        return head if isinstance(head, Model) else unwrap(head)


def _as_module_dict(heads: Dict[str, Head]) -> torch.nn.ModuleDict:
    if not heads:
        raise ConfigurationError("heads must have at least one head, but it is empty. Add a head.")
    modules = torch.nn.ModuleDict()
    for name, head in heads.items():
        try:
            if name == BACKBONE:
                raise KeyError("that is the name of the backbone")
            modules[name] = head
        except (KeyError, TypeError) as error:
            raise ConfigurationError(
                f"The name of a head must be a valid name of a module, but {name!r} cannot be "
                f"used: {error.args[0]}. Choose another name for this head."
            ) from error
    return modules


def _check_components(parameter: str, values: Dict[str, Any], components: Dict[str, Any]) -> None:
    check_known(parameter, "'backbone' or a head", values, components)


def _kind_of_fields(instance: Instance) -> Hashable:
    """Equal for instances that can be put into one batch."""
    return frozenset(
        (name, type(field), frozenset(getattr(field, "_token_indexers", None) or ()))
        for name, field in instance.fields.items()
    )
