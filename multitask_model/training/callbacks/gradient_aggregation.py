"""The trainer callback `gradient_aggregation`."""

import itertools
from typing import Any, Dict, List, Sequence, Tuple, Union, cast

import torch
from allennlp.common.util import is_distributed
from allennlp.training import GradientDescentTrainer
from allennlp.training.callbacks import TrainerCallback
from allennlp.training.callbacks.backward import OnBackwardException
from overrides import overrides

from multitask_model.compat.allennlp_internals import batches_of_step, ddp_model
from multitask_model.model import MultiTaskModel
from multitask_model.routing.output_names import BACKBONE, LOSS
from multitask_model.training.aggregation_checks import (
    check_names_of_conflicts,
    check_trainer,
    conflict_name,
    norm_name,
)
from multitask_model.training.aggregators import Aggregators, aggregate, import_torchjd
from multitask_model.training.features import Features
from multitask_model.training.gradient_exchange import average_gradients, average_grads
from multitask_model.training.head_gradients import (
    Gradients,
    compute_gradients,
    cosines,
    split_parameters,
)

Outputs = Dict[str, torch.Tensor]
REGULARIZATION = "reg_loss"


@TrainerCallback.register("gradient_aggregation")
class GradientAggregationCallback(TrainerCallback):
    """
    Replaces the backward pass: computes the gradient of each head's loss at the parameters that the
    heads share, and combines these gradients by an aggregator of TorchJD instead of adding them.

    - The losses are scaled by `loss_weights`, `loss_reduction` and `loss_weighting`. With the
      aggregator `sum`, all gradients are those of the plain backward pass.
    - The parameters of the backbone are shared, and so are those that several heads have. The other
      parameters of a head get its own gradient. A loss of the backbone, a regularization penalty
      and the parameters of the loss weighting get their plain gradient, which is added.
    - A batch on which fewer than two heads had a loss gets the plain backward pass.
    - With gradient accumulation, the gradients of each batch are aggregated, and the results are
      averaged over the batches of the step: the graph of only one batch is in memory.
    - In distributed training, the gradients of each head are averaged over the processes before
      they are combined, so that the result is that of one process on the joined batch, and the same
      in all processes. Combining first would balance the heads of each part of the batch. Each step
      exchanges H times the shared parameters. Not with `features`, which differ by process.
    - Each set of heads that run together has an aggregator of its own. Its state, if it has any
      (`gradvac`, `nash_mtl`, `pcd`, `excess_mtl`), starts anew after `--recover`.

    Requires TorchJD: `pip install 'multitask-model[gradients]'`, Python 3.11 or later.

    Registered as a `TrainerCallback` with name "gradient_aggregation".

    # Parameters

    serialization_dir : `str`
        Set by the trainer.
    aggregator : `Union[str, Dict[str, Any]]`
        The name of an aggregator, or `{"type": NAME, ...}` with its options, such as
        `{"type": "cagrad", "c": 0.5}`. An option with a number for each head is a dictionary:
        `{"type": "upgrad", "pref_vector": {"ner": 2.0, "pos": 1.0}}`.
    features : `bool`, optional (default = `False`)
        If `True`, the aggregated gradients are those at the outputs of the backbone, and there is a
        single backward pass through the backbone. If `False`, they are those at the parameters,
        and there is one for each head.
    log_conflicts : `bool`, optional (default = `False`)
        If `True`, the cosine between the gradients of heads A and B is the training metric
        `conflict_A_B`: its mean over the batches on which both ran. It is negative if a small step
        for one head increases the loss of the other. The mean norm of the gradient of head A is the
        metric `A_gradient_norm`.

    # Raises

    `ConfigurationError`
        If TorchJD is not installed, or the options do not fit the aggregator. At the start of
        training: if the model is not a `MultiTaskModel`, with a gradient scaler, or with
        `features` in distributed training or if a head has parameters of the backbone.

    # Examples

    In the config of a trainer:

    >>> import json
    >>> callback = {"type": "gradient_aggregation", "aggregator": "upgrad", "features": True}
    >>> json.dumps({"num_epochs": 10, "callbacks": [callback]})
    '{"num_epochs": 10, "callbacks": [{"type": "gradient_aggregation", ...}]}'
    """

    def __init__(
        self,
        serialization_dir: str,
        aggregator: Union[str, Dict[str, Any]],
        features: bool = False,
        log_conflicts: bool = False,
    ) -> None:
        super().__init__(serialization_dir)
        import_torchjd("autojac")
        self._options = {} if isinstance(aggregator, str) else dict(aggregator)
        self._name = aggregator if isinstance(aggregator, str) else self._options.pop("type", "")
        self._features = Features() if features else None
        self._log_conflicts = log_conflicts

    @overrides
    def on_start(
        self, trainer: GradientDescentTrainer, is_primary: bool = True, **kwargs: object
    ) -> None:
        super().on_start(trainer, is_primary, **kwargs)
        check_trainer(trainer, self._features is not None)
        heads = list(self._model.heads)
        self._aggregators = Aggregators(self._name, self._options, heads)
        self._parameters = split_parameters(self._model)
        if is_distributed():
            # Gradients are averaged here, those of each head first.
            vars(ddp_model(trainer))["require_backward_grad_sync"] = False
            self._model.keeps_joined_losses = True
        if self._features is not None:
            self._features.attach(self._model)
        if self._log_conflicts:
            check_names_of_conflicts(heads)

    @overrides
    def on_end(self, trainer: GradientDescentTrainer, *args: object, **kwargs: object) -> None:
        if is_distributed():
            vars(ddp_model(trainer))["require_backward_grad_sync"] = True
            self._model.keeps_joined_losses = False
        if self._features is not None:
            self._features.detach()

    @property
    def _model(self) -> MultiTaskModel:
        assert self.trainer is not None
        return cast(MultiTaskModel, self.trainer.model)

    @overrides
    def on_backward(
        self,
        trainer: GradientDescentTrainer,
        batch_outputs: Outputs,
        backward_called: bool,
        **kwargs: object,
    ) -> bool:
        if backward_called:
            raise OnBackwardException("Remove the other callback that computes gradients.")
        joint = batch_outputs[LOSS] / batches_of_step(trainer)
        losses, of_backbone = self._losses(batch_outputs)
        shared = [tensor for tensor in self._shared(losses) if tensor.requires_grad]
        if len(losses) < 2 or not shared:
            joint.backward()
        else:
            penalties = [batch_outputs[REGULARIZATION]] if REGULARIZATION in batch_outputs else []
            self._backward(joint, losses, shared, [*of_backbone, *penalties])
        if is_distributed():
            average_grads(self._model.parameters())
        return True

    def _losses(self, batch_outputs: Outputs) -> Tuple[Outputs, List[torch.Tensor]]:
        """The losses of the heads, and that of the backbone if it has one."""
        if is_distributed():
            # `DistributedDataParallel` returns copies of the outputs, which the joint loss does not
            # depend on.
            losses, self._model.joined_losses = self._model.joined_losses, {}
        else:
            names = [BACKBONE, *self._model.heads]
            losses = {
                name: batch_outputs[f"{name}_{LOSS}"]
                for name in names
                if f"{name}_{LOSS}" in batch_outputs
                and batch_outputs[f"{name}_{LOSS}"].requires_grad
            }
        of_backbone = [loss for name, loss in losses.items() if name == BACKBONE]
        return {name: loss for name, loss in losses.items() if name != BACKBONE}, of_backbone

    def _shared(self, losses: Outputs) -> Sequence[torch.Tensor]:
        if self._features is None:
            return [*self._parameters.backbone, *self._parameters.tied]
        features = self._features.take()
        self._features.check(self._model, losses, features)
        return [*features, *self._parameters.tied]

    def _backward(
        self,
        joint: torch.Tensor,
        losses: Outputs,
        shared: List[torch.Tensor],
        others: List[torch.Tensor],
    ) -> None:
        """The backward pass for two heads or more."""
        others = [t for t in [*others, *self._model.loss_weighting.parameters()] if t.requires_grad]
        # A head that only other processes ran has a loss without a gradient.
        own = {name: loss for name, loss in losses.items() if loss.requires_grad}
        ends = [*own.values(), *others]
        found = ends and torch.autograd.grad(joint, ends, retain_graph=True, allow_unused=True)
        factors = [torch.zeros_like(t) if f is None else f for t, f in zip(ends, found)]
        gradients = compute_gradients(losses, dict(zip(own, factors)), shared, self._parameters.own)
        if is_distributed():
            gradients = average_gradients(gradients, shared, len(losses))
        if self._log_conflicts:
            self._report_conflicts(list(losses), gradients)
        aggregated = aggregate(self._aggregators.get(list(losses), joint.device), gradients)
        # A single pass for what is left, which goes once through the backbone if it must.
        torch.autograd.backward(
            [*(tensor for tensor, _ in gradients), *others], [*aggregated, *factors[len(own) :]]
        )

    def _report_conflicts(self, heads: Sequence[str], gradients: Gradients) -> None:
        matrix, norms = cosines(gradients)
        for head, norm in zip(heads, norms):
            self._model.report_metric(norm_name(head), norm)
        for i, j in itertools.combinations(range(len(heads)), 2):
            self._model.report_metric(conflict_name(heads[i], heads[j]), matrix[i, j])
