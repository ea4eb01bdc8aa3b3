"""`MultiTaskModel`: one backbone, several heads, one joint loss."""

import copy
from functools import partial
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple

import numpy
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance, Vocabulary
from allennlp.models.heads import Head
from allennlp.models.model import Model
from allennlp.modules import Backbone
from allennlp.nn import InitializerApplicator
from allennlp.nn import util as nn_util
from overrides import overrides

from multitask_model.compat.allennlp_internals import register_in_place
from multitask_model.compat.torch_internals import boolean_buffers, is_compiling
from multitask_model.data.collate import collate
from multitask_model.data.label_fields import index_fields
from multitask_model.distributed import FILLER, alone, is_distributed
from multitask_model.pretrained import (
    allow_other_heads,
    head_of,
    ignore_other_heads,
    load_pretrained,
)
from multitask_model.recorded_config import RecordsConfig
from multitask_model.routing.arguments import Router
from multitask_model.routing.calls import (
    Result,
    available_to_heads,
    call_backbone,
    call_head,
    call_heads,
    scalar_losses,
)
from multitask_model.routing.checks import (
    add_module,
    check_components,
    check_options,
    check_type,
    make_module_dict,
    may_have_penalty,
)
from multitask_model.routing.fit_checks import check_head
from multitask_model.routing.inputs import map_tensors
from multitask_model.routing.instances import SeparatedOutputs, input_kind
from multitask_model.routing.missing_losses import MissingLosses, OutputsWithoutLoss
from multitask_model.routing.one_task import OneTaskPath
from multitask_model.routing.output_names import BACKBONE, LOSS, OutputNames
from multitask_model.routing.partial import Partial
from multitask_model.routing.rows import AllRows, group_rows
from multitask_model.routing.signatures import unwrap, unwrap_head
from multitask_model.routing.tasks import TaskHeads, check_tasks
from multitask_model.training.metrics.local_metrics import count_locally
from multitask_model.training.metrics.model_metrics import ModelMetrics
from multitask_model.training.metrics.per_task_metrics import PerTaskMetrics
from multitask_model.weighting import JointLoss, LossWeighting, SumWeighting
from multitask_model.weighting.joined_losses import anchor, join_losses
from multitask_model.weighting.joint_loss import check_weights


@register_in_place(Model, "multitask")
class MultiTaskModel(RecordsConfig, Model):
    """
    A `MultiTaskModel` has a `Backbone` that encodes a batch once, and heads that make predictions
    from the encoding. The joint loss is the weighted sum of the losses of the heads.

    `forward` takes any fields. The backbone gets the fields that its own `forward` has arguments
    for. Each head gets the fields and the backbone outputs that its `forward` has arguments for,
    and of these the rows of the instances whose `task` it serves.

    Instances of a batch may have different fields (see `collate`). If only some rows of a head have
    a field that it takes, such as its label, the head is called once with and once without it.

    Registered as a `Model` with name "multitask".

        >>> from allennlp.models.heads import Head
        >>> class Encoder(Backbone):
        ...     def forward(self, text):
        ...         return {"encoded": text.float()}
        >>> class Mean(Head):
        ...     def forward(self, encoded, target):
        ...         return {"loss": (encoded.mean(-1) - target).abs().mean()}
        >>> vocab = Vocabulary()
        >>> model = MultiTaskModel(vocab, Encoder(), {"a": Mean(vocab), "b": Mean(vocab)})
        >>> text, target = torch.tensor([[1, 3], [4, 4], [8, 8]]), torch.tensor([1.0, 1.0, 2.0])
        >>> model(text=text, target=target, task=["a", "b", "a"])
        {'encoded': ..., 'a_loss': tensor(3.5000), 'b_loss': tensor(3.), 'loss': tensor(6.5000)}

    # Parameters

    vocab : `Vocabulary`
    backbone : `Backbone`
    heads : `Dict[str, Head]`
        At least one. Losses, outputs and metrics have the order of the heads.
    task_heads : `Dict[str, List[str]]`, optional (default = the head of the same name)
        The heads that serve each task. A task may have several heads, and a head several tasks. A
        field `heads` of an instance, a list of names, restricts the heads that serve it.
    loss_weights : `Dict[str, float]`, optional (default = `1.0` each)
        The weight of each head's loss in the joint loss. Heads that are left out have weight 1.0.
        If the backbone returns a `loss`, it is added with the weight of `"backbone"`.
    loss_reduction : `str`, optional (default = `"heads"`)
        With w_h the weight of head h, and L_h its loss, the mean over its rows:

        - `"heads"`: loss = Σ_h w_h · L_h, as in AllenNLP. An instance of a head that has few
          instances in the batch has a larger weight than an instance of a head that has many.
        - `"instances"`: loss = Σ_h w_h · (rows_h / B) · L_h, where rows_h is the number of rows
          that L_h is the mean of, and B the batch size. All instances have the same weight.

        A loss of the backbone is the mean over all rows.
    loss_weighting : `LossWeighting`, optional (default = `SumWeighting()`)
        How the weighted losses of the heads are combined. What it learns and tracks is part of the
        model's parameters and buffers, under `_balancing`.
    per_task_metrics : `bool`, optional (default = `False`)
        If `True`, the metrics of a head that serves several tasks are also reported for each task,
        as `TASK_HEAD_METRIC`. Such a head is then called twice for every batch: the second time
        without gradients and in evaluation mode.
    pretrained_file : `str`, optional (default = `None`)
        An archive that initializes the backbone and the heads that it has. Other heads of this
        model are initialized as usual, other heads of the archive are ignored, and both are logged.
        The vocabulary must extend that of the archive. In a config:
        `"vocabulary": {"type": "extend", "directory": ARCHIVE, "min_count": {"tokens": 3}}`. Here
        `min_count` counts new words in the new data only, and must be set again. The embedding of a
        new word starts as that of the OOV token, so that heads of the archive score as before.
    arg_name_mapping : `Dict[str, Dict[str, str]]`, optional (default = no changes)
        For each component (`"backbone"` or the name of a head), a mapping from fields and backbone
        outputs to its arguments: `{"backbone": {"question": "text", "review": "text"}}`. Several
        names may map to one argument of the backbone if no batch has more than one of them, and to
        one argument of a head if no instance has more than one of them.
    allowed_arguments : `Dict[str, Set[str]]`, optional (default = inferred)
        For each component, the arguments that it may get. A component that is left out gets all
        arguments of its `forward`, or every available value if that takes `**kwargs`.
    copy_inputs : `List[str]`, optional (default = `None`)
        The components that get copies of their inputs, because their `forward` changes them in
        place. Components with a module that works in place, such as `ReLU(inplace=True)`, always
        do. For any other head, a change of a tensor argument is an error.
    initializer : `InitializerApplicator`, optional (default = `InitializerApplicator()`)
        Initializes the parameters of the backbone and of the heads.
    **kwargs : `Any`
        `regularizer`, `serialization_dir` and `ddp_accelerator` of `Model`.

    # Raises

    `ConfigurationError`
        If there are no heads, a head has an invalid name, a parameter is unknown or names an
        unknown component, head or argument, a loss weight is negative or no finite number, or the
        weights in `pretrained_file` do not fit.
    """

    default_predictor = "multitask"

    _ddp_params_and_buffers_to_ignore = property(boolean_buffers)

    def __init__(
        self,
        vocab: Vocabulary,
        backbone: Backbone,
        heads: Dict[str, Head],
        *,
        task_heads: Optional[Dict[str, List[str]]] = None,
        loss_weights: Optional[Dict[str, float]] = None,
        loss_reduction: str = "heads",
        loss_weighting: Optional[LossWeighting] = None,
        per_task_metrics: bool = False,
        pretrained_file: Optional[str] = None,
        arg_name_mapping: Optional[Dict[str, Dict[str, str]]] = None,
        allowed_arguments: Optional[Dict[str, Set[str]]] = None,
        copy_inputs: Optional[List[str]] = None,
        initializer: InitializerApplicator = InitializerApplicator(),  # noqa: B008
        **kwargs: Any,
    ) -> None:
        check_options(kwargs, type(self))
        super().__init__(vocab, **kwargs)
        check_type("backbone", backbone, torch.nn.Module, "a Backbone")
        self._backbone = backbone
        self._heads = make_module_dict(heads)
        weighting = SumWeighting() if loss_weighting is None else loss_weighting
        check_type("loss_weighting", weighting, LossWeighting, "a LossWeighting")
        weighting.set_heads(list(heads))
        check_components(
            [BACKBONE, *heads],
            loss_weights=loss_weights or {},
            arg_name_mapping=arg_name_mapping or {},
            allowed_arguments=allowed_arguments or {},
            copy_inputs=copy_inputs or [],
        )
        self._tasks = TaskHeads(list(heads), task_heads)
        self._routers = self._make_routers(arg_name_mapping, allowed_arguments, copy_inputs)
        for name, head in heads.items():
            check_head(name, head, self._routers[name], backbone)
        self._joint_loss = JointLoss(loss_weights or {}, loss_reduction, weighting)
        self._output_names = OutputNames(list(heads))
        self._one_task = OneTaskPath(self._heads, self._tasks, self._routers, self._output_names)
        self._missing_losses = MissingLosses(self._tasks, self._routers)
        self.predictor_config: Dict[str, Any] = {}
        """Options of the predictor, from the key `predictor` of the config it was loaded with."""
        self.keeps_joined_losses = False
        """Whether `joined_losses` is set in distributed training."""
        self.joined_losses: Dict[str, torch.Tensor] = {}
        """
        The losses of the last training batch of all processes together, by component, with a
        gradient in the processes that ran the component.
        """
        self._per_task_metrics = (
            PerTaskMetrics(self._tasks, self._heads) if per_task_metrics else None
        )
        self._metrics = ModelMetrics(
            self._heads, self._routers, self._missing_losses, self._per_task_metrics
        )
        self._may_have_penalty = any(map(may_have_penalty, (self, *map(unwrap, heads.values()))))
        initializer(self)
        # Added last, and without "weight" in its name: an initializer or a regularizer for the
        # parameters ".*weight" must not get the values that a weighting learns.
        self._balancing = weighting
        if pretrained_file is not None:
            load_pretrained(self, pretrained_file)

    def _make_routers(
        self,
        arg_name_mapping: Optional[Mapping[str, Mapping[str, str]]],
        allowed_arguments: Optional[Mapping[str, Set[str]]],
        copy_inputs: Optional[Sequence[str]],
    ) -> Dict[str, Router]:
        mapping, allowed = arg_name_mapping or {}, allowed_arguments or {}
        components: Dict[str, torch.nn.Module] = {BACKBONE: self.backbone, **self.heads}
        return {
            name: Router(
                name, module, mapping.get(name), allowed.get(name), name in (copy_inputs or ())
            )
            for name, module in components.items()
        }

    @property
    def tasks(self) -> TaskHeads:
        """The tasks of the model, and the heads that serve each."""
        return self._tasks

    @property
    def backbone(self) -> Backbone:
        """The backbone."""
        return self._modules["_backbone"]  # type: ignore[return-value]

    @property
    def heads(self) -> torch.nn.ModuleDict:
        """The heads by name, in their order, each as it was passed in: possibly in a wrapper."""
        return self._modules["_heads"]  # type: ignore[return-value]

    @property
    def loss_weighting(self) -> LossWeighting:
        """The loss weighting."""
        return self._modules["_balancing"]  # type: ignore[return-value]

    def head(self, name: str) -> Head:
        """Returns the head of this name, without a wrapper such as `DistributedDataParallel`."""
        return unwrap_head(self.heads[name])

    def router(self, component: str) -> Router:
        """Returns the router of `"backbone"` or of a head, which selects its arguments."""
        return self._routers[component]

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
        Adds a head to the model. It becomes the last one in the order of the heads. It is moved to
        the device of the model and set to training or evaluation mode as the model is. Metrics that
        were counted are kept.

        # Parameters

        name : `str`
        head : `Head`
        tasks : `Sequence[str]`, optional (default = `[name]`)
            The tasks that the head serves. They may be new.
        loss_weight : `float`, optional (default = `1.0`)
            At least 0.
        arg_name_mapping : `Dict[str, str]`, optional (default = no changes)
        allowed_arguments : `Set[str]`, optional (default = inferred)

        # Raises

        `ConfigurationError`
            If the name is invalid or taken, `tasks` is not a list of different names, the weight is
            negative or no finite number, a mapping or an allowed argument is not an argument of the
            head's `forward`, or `per_task_metrics` would have two metrics of the same name. The
            model is unchanged, also after any other error.
        """
        tasks = [name] if tasks is None else tasks
        check_tasks(name, tasks)
        check_weights({name: loss_weight}, "loss_weight")
        router = Router(name, head, arg_name_mapping, allowed_arguments)
        check_head(name, head, router, self.backbone)
        all_tasks = copy.deepcopy(self._tasks)
        all_tasks.add_head(name, tasks)
        add_module(self._heads, name, head)
        try:
            self._prepare_added(head, all_tasks)
        except BaseException:
            del self._heads[name]
            if self._per_task_metrics is not None:
                self._per_task_metrics.set_tasks(self._tasks)
            raise
        self._routers[name] = router
        self._joint_loss.set_weight(name, loss_weight)
        self._tasks.add_head(name, tasks)
        self._output_names.add_head(name)
        self._one_task.forget()
        self._missing_losses.add_head(name, tasks)
        self._may_have_penalty |= may_have_penalty(unwrap(head))

    def _prepare_added(self, head: Head, all_tasks: TaskHeads) -> None:
        """Does everything that can fail once a head is among the modules of the model."""
        parameter = next(self.parameters(), None)  # of the backbone, if it has any
        if parameter is not None:
            head.to(parameter.device)
        head.train(self.training)
        if self._per_task_metrics is not None:
            self._per_task_metrics.set_tasks(all_tasks)
        self.loss_weighting.set_heads(list(self._heads))
        if parameter is not None:
            self.loss_weighting.to(parameter.device)

    def forward(self, **kwargs: Any) -> Dict[str, torch.Tensor]:  # type: ignore[override]
        """
        # Parameters

        task : `List[str]`
            The task of each of the B instances, which selects the heads that serve it.
        heads : `List[Optional[List[str]]]`, optional
            For each instance, the heads that serve it, among those of its task. `None` for all.
        **kwargs : `Any`
            The other fields of the batch. They are not changed, unless the backbone works in place:
            see `copy_inputs`.

        # Returns

        `Dict[str, torch.Tensor]`
            The outputs of the backbone, the outputs of each head as `HEAD_OUTPUT` (with one row for
            each instance that the head served), and the joint `loss` of shape `[]` if a component
            returned a loss. If only one did, its weight is 1, and there is no regularizer, the
            joint loss is that same tensor.

        # Raises

        `ValueError`
            If `task` is missing or unknown; a component lacks a required argument or gets two
            values for one; only some instances have a field that the backbone takes; a field has
            the name of a backbone output; two outputs have the same name; or a loss is not a single
            number.
        """
        is_shared = is_distributed()
        if is_shared and kwargs.get(FILLER) is True:
            return self._losses_of_all({}, {}, 0) if self.training else {}
        routed = None if is_shared else self._one_task.run(self.backbone, kwargs)
        if routed is None:
            routers = self._routers
            rows: Mapping[str, AllRows] = self._tasks.rows(kwargs)
            encoded = call_backbone(self.backbone, routers[BACKBONE], kwargs, len(kwargs["task"]))
            available = available_to_heads(kwargs, encoded[0])
            call = _call_head_alone if is_shared else call_head
            results = {
                BACKBONE: encoded,
                **call_heads(self.heads, routers, available, rows, call),
            }
            outputs: Dict[str, Any] = self._output_names.merge(results)
            losses, loss_rows = scalar_losses(results)
            if not is_shared:
                self._one_task.learn(kwargs, encoded[0])
        else:
            available, rows, outputs, losses, loss_rows = routed
        self._metrics.update(kwargs, available, rows, losses, loss_rows, self.training)
        if is_shared and self.training:
            # Outputs that are not part of the loss must not look as if they were.
            outputs = {name: map_tensors(torch.Tensor.detach, o) for name, o in outputs.items()}
            outputs.update(self._losses_of_all(losses, loss_rows, len(kwargs["task"])))
        elif losses:
            joint_loss = self._joint_loss(losses, loss_rows, len(kwargs["task"]))
            # The trainer adds a penalty in place, which must not change the loss of a head.
            outputs[LOSS] = joint_loss.clone() if self._may_have_penalty else joint_loss
        elif self.training and not is_compiling():
            return OutputsWithoutLoss(outputs, partial(self.explain_missing_loss, kwargs))
        return outputs

    def _losses_of_all(
        self, losses: Mapping[str, torch.Tensor], rows: Mapping[str, int], batch_size: int
    ) -> Dict[str, torch.Tensor]:
        """
        The joint loss of the batches of all processes; nothing if there is none. A process that has
        no more instances takes part in the step of the others with no losses and a size of 0.
        """
        joined = join_losses(losses, rows, batch_size, [BACKBONE, *self._heads])
        if not joined.losses:
            return {}
        joint_loss = self._joint_loss(joined.losses, joined.rows, joined.batch_size).clone()
        if not joint_loss.requires_grad:
            with_loss = [self.head(name) for name in self._heads if name in joined.losses]
            joint_loss = joint_loss + anchor([*with_loss, self.backbone]).to(joint_loss)
        penalty = self.get_regularization_penalty() if self._may_have_penalty else None
        # The trainer adds the penalty later, but `DistributedDataParallel` has to know by now that
        # the parameters of all heads, also of those that did not run, will have a gradient.
        joint_loss = joint_loss if penalty is None else joint_loss + 0.0 * penalty
        if self.keeps_joined_losses:
            self.joined_losses = joined.losses
        return {LOSS: joint_loss}

    def report_metric(self, name: str, value: torch.Tensor) -> None:
        """
        Adds a value to a metric of the model, which is the mean of its values since the last reset.

        # Parameters

        name : `str`
        value : `torch.Tensor`
            Of shape `[]`.
        """
        self._metrics.report(name, value)

    @overrides
    def get_metrics(self, reset: bool = False) -> Dict[str, float]:
        """
        # Returns

        `Dict[str, float]`
            The metrics of every head that ran since the last reset, as `HEAD_METRIC`
            (`_HEAD_METRIC` for a hidden `_METRIC`). The mean of its losses over instances is
            `HEAD_loss`, unless the head itself reports a `loss`: the loss of each batch is weighted
            by the number of rows that it is the mean of. A backbone with a loss has
            `backbone_loss`. The mean of its weights over batches is `HEAD_weight`, unless the head
            itself reports a `weight`, or the loss weighting is `sum`, whose weights are all 1. A
            head that had no loss, and whose `Metric` objects counted nothing, is left out, and so
            is a head with a metric that cannot be read before it is called.

        # Raises

        `ValueError`
            If metrics of two heads have the same name.
        """
        return self._metrics.get(self.loss_weighting, self.training, reset)

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
            These outputs, and the readable outputs that the components added.
        """
        # A component cannot make an output readable that only some of its rows have.
        complete = {n: value for n, value in output_dict.items() if not isinstance(value, Partial)}
        by_component: Dict[str, Dict[str, Any]] = self._output_names.split(complete)
        encoded = by_component.pop(BACKBONE, {})
        readable: Dict[str, Any] = {}
        # A traced or scripted backbone has `forward` only.
        make = getattr(unwrap(self.backbone), "make_output_human_readable", dict)
        self._output_names.add(readable, BACKBONE, make({**encoded}))
        readable.update({key: output_dict[key] for key in output_dict if key not in encoded})
        for name in filter(by_component.__contains__, self._heads):
            of_head = self.head(name).make_output_human_readable(by_component[name])
            self._output_names.add(readable, name, of_head)
        return readable

    @overrides
    def forward_on_instances(self, instances: List[Instance]) -> List[Dict[str, numpy.ndarray]]:
        """
        # Parameters

        instances : `List[Instance]`
            Instances of any tasks. Those with different inputs of the backbone are encoded in
            separate batches.

        # Returns

        `List[Dict[str, numpy.ndarray]]`
            For each instance, in the order of `instances`, the readable outputs of the backbone and
            of the heads that served it.
        """
        results: List[Dict[str, Any]] = [{} for _ in instances]
        router = self._routers[BACKBONE]
        kinds = [
            input_kind({n: field for n, field in instance.fields.items() if router.takes(n)})
            for instance in instances
        ]
        for indices in group_rows(kinds).values():
            outputs = self._forward_on_batch([instances[i] for i in indices])
            for i, of_instance in zip(indices, outputs):
                results[i] = of_instance
        return results

    def _forward_on_batch(self, instances: List[Instance]) -> List[Dict[str, object]]:
        for instance in instances:
            index_fields(instance, self.vocab)
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
            The sum of the penalty of the model and those of its heads, each by its own regularizer;
            `None` if nothing has a regularizer.
        """
        penalties = [super().get_regularization_penalty()]
        penalties += [self.head(name).get_regularization_penalty() for name in self._heads]
        given = [penalty for penalty in penalties if penalty is not None]
        return sum(given[1:], given[0]) if given else None

    def component_of_output(self, name: str) -> Optional[str]:
        """
        # Returns

        `Optional[str]`
            The component that the output `name` of this model came from: `"backbone"` or the name
            of a head. `None` for the joint loss.
        """
        return self._output_names.find(name)

    def explain_missing_loss(self, batch: Mapping[str, object], head: Optional[str] = None) -> str:
        """
        Returns an error message for a training batch without a loss: the heads that ran, the
        optional arguments that each was missing, and the fields that no component takes. With a
        `head` that runs for the batch, only what that head was missing.
        """
        outputs = self._output_names.keys_of(BACKBONE)
        if head is not None:
            return self._missing_losses.explain_head(head, repr(head), batch, outputs)
        return self._missing_losses.explain(batch, outputs)

    @classmethod
    @overrides
    def _load(cls, config: Params, *args: Any, **kwargs: Any) -> Model:
        # A config may have more or fewer heads than the weights that are loaded for it.
        with allow_other_heads():
            model = super()._load(config, *args, **kwargs)
        if isinstance(model, MultiTaskModel):
            model.predictor_config = _predictor_config(config.get("predictor", Params({})))
        return model

    @overrides
    def load_state_dict(self, state_dict: Any, *args: Any, **kwargs: Any) -> Any:
        heads = map(head_of, state_dict)
        self._saved_heads = {head for head in heads if head is not None}
        return super().load_state_dict(state_dict, *args, **kwargs)

    @overrides
    def _post_load_state_dict(
        self, missing_keys: List[str], unexpected_keys: List[str]
    ) -> Tuple[List[str], List[str]]:
        keys = ignore_other_heads(self._heads, self._saved_heads, missing_keys, unexpected_keys)
        return super()._post_load_state_dict(*keys)


def _predictor_config(options: object) -> Dict[str, Any]:
    if not isinstance(options, Params):
        raise ConfigurationError(
            f"The predictor of a config must be a dictionary of options, but got {options!r}. "
            """Write it as {"top_k": 3}."""
        )
    config: Dict[str, Any] = options.as_dict(quiet=True)
    return config


def _call_head_alone(
    head: torch.nn.Module, router: Router, available: Mapping[str, object], rows: AllRows
) -> Result:
    """Calls a head without waiting for other processes, which may not call it in this step."""
    count_locally(unwrap(head))
    with alone():
        return call_head(head, router, available, rows)
