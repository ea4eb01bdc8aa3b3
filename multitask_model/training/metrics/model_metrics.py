"""The metrics of a model: those of its heads, mean losses, mean weights and reported values."""

from typing import Dict, Mapping, Optional, Set

import torch

from multitask_model.distributed import alone, is_distributed
from multitask_model.routing.arguments import Router
from multitask_model.routing.missing_losses import MissingLosses
from multitask_model.routing.output_names import BACKBONE, LOSS, WEIGHT, add_metrics
from multitask_model.routing.rows import AllRows
from multitask_model.routing.signatures import unwrap_head
from multitask_model.training.metrics.head_metrics import read_metrics
from multitask_model.training.metrics.mean_losses import MeanLosses
from multitask_model.training.metrics.metric_agreement import (
    agree_on_metrics,
    keep_in_first_process,
)
from multitask_model.training.metrics.metric_exchange import exchange_metrics
from multitask_model.training.metrics.per_task_metrics import PerTaskMetrics
from multitask_model.weighting.joined_losses import METRICS, check_same_step
from multitask_model.weighting.loss_weighting import LossWeighting


class ModelMetrics:
    """
    Counts what a model reports since the last reset: the metrics of the heads that ran, also per
    task, mean losses and weights, reported values, and heads that never had a loss.

        >>> from multitask_model.routing.tasks import TaskHeads
        >>> class Stars(torch.nn.Module):
        ...     def forward(self, stars): return {"loss": stars.mean()}
        ...     def get_metrics(self, reset): return {"count": 3}
        >>> heads = torch.nn.ModuleDict({"stars": Stars()})
        >>> routers = {name: Router(name, head) for name, head in heads.items()}
        >>> missing_losses = MissingLosses(TaskHeads(["stars"]), routers)
        >>> metrics = ModelMetrics(heads, routers, missing_losses)
        >>> batch, rows, losses = {}, {"stars": AllRows(2)}, {"stars": torch.tensor(0.5)}
        >>> metrics.update(batch, batch, rows, losses, {"stars": 2}, is_training=True)
        >>> metrics.get(LossWeighting.by_name("sum")(), is_training=True)
        {'stars_count': 3, 'stars_loss': 0.5}

    # Parameters

    heads : `torch.nn.ModuleDict`
    routers : `Mapping[str, Router]`
        The routers of all components.
    missing_losses : `MissingLosses`
    per_task : `PerTaskMetrics`, optional (default = `None`)
    """

    def __init__(
        self,
        heads: torch.nn.ModuleDict,
        routers: Mapping[str, Router],
        missing_losses: MissingLosses,
        per_task: Optional[PerTaskMetrics] = None,
    ) -> None:
        self._heads = heads
        self._routers = routers
        self._missing_losses = missing_losses
        self._per_task = per_task
        self._called: Set[str] = set()
        self._mean_losses, self._reported = MeanLosses(), MeanLosses()

    def update(
        self,
        batch: Mapping[str, object],
        available: Mapping[str, object],
        rows: Mapping[str, AllRows],
        losses: Mapping[str, torch.Tensor],
        loss_rows: Mapping[str, int],
        is_training: bool,
    ) -> None:
        """
        Counts one batch.

        # Parameters

        batch : `Mapping[str, object]`
            The fields of the batch.
        available : `Mapping[str, object]`
            These fields and the outputs of the backbone.
        rows : `Mapping[str, AllRows]`
            The rows of each head that ran.
        losses : `Mapping[str, torch.Tensor]`
            The loss of each component that had one, of shape `[]`.
        loss_rows : `Mapping[str, int]`
            The number of rows that each of these losses is the mean of.
        is_training : `bool`
        """
        self._called.update(rows)
        self._mean_losses.add_all(losses, loss_rows)
        if is_training and self._missing_losses.must_record(rows):
            self._missing_losses.update(batch, available, rows, losses)
        if self._per_task is not None:
            for name, head_rows in rows.items():
                self._per_task.update(self._routers[name], available, head_rows)

    def report(self, name: str, value: torch.Tensor) -> None:
        """Adds a value to the mean that is reported as `name`."""
        self._reported.add(name, value, rows=1)

    def get(
        self, weighting: LossWeighting, is_training: bool, reset: bool = False
    ) -> Dict[str, float]:
        """
        Returns all metrics, in distributed training with `reset` those of all processes. A reset in
        training ends an epoch.

        # Raises

        `ValueError`
            If metrics of two heads, or a reported value, have the same name.
        """
        is_shared = reset and is_distributed()
        if is_shared:
            self._exchange(weighting, is_training)
        with alone():
            metrics = self._read(weighting, reset)
            if reset:
                self._called.clear()
            if reset and is_training:
                self._missing_losses.finish_epoch()
                weighting.finish_epoch()
        if is_shared:
            keep_in_first_process(map(unwrap_head, self._heads.values()))
            if self._per_task is not None:
                self._per_task.keep_in_first_process()
            metrics = agree_on_metrics(metrics)
        return metrics

    def _exchange(self, weighting: LossWeighting, is_training: bool) -> None:
        """Gives every process what all processes counted. All get here at the end of an epoch."""
        check_same_step(METRICS, [BACKBONE, *self._heads])
        heads = {name: unwrap_head(head) for name, head in self._heads.items()}
        exchange_metrics(heads, self._called, self._mean_losses)
        if is_training:
            self._missing_losses.exchange(self._mean_losses.sums())
        if self._per_task is not None:
            self._per_task.exchange()
        self._reported.exchange()
        weighting.exchange_weights()

    def _read(self, weighting: LossWeighting, reset: bool) -> Dict[str, float]:
        metrics: Dict[str, float] = {}
        mean_losses, mean_weights = self._mean_losses.get(reset), weighting.get_weights(reset)
        if BACKBONE in mean_losses:
            metrics[f"{BACKBONE}_{LOSS}"] = mean_losses[BACKBONE]
        for name in filter(self._called.__contains__, self._heads):
            head = unwrap_head(self._heads[name])
            of_head = read_metrics(head, reset, had_loss=name in mean_losses)
            for key, means in ((LOSS, mean_losses), (WEIGHT, mean_weights)):
                if name in means:
                    of_head.setdefault(key, means[name])
            add_metrics(metrics, name, of_head)
        if self._per_task is not None:
            for prefix, of_task in self._per_task.get(reset):
                add_metrics(metrics, prefix, of_task)
        _add_reported(metrics, self._reported.get(reset))
        return metrics


def _add_reported(metrics: Dict[str, float], reported: Mapping[str, float]) -> None:
    for name, value in reported.items():
        if name in metrics:
            raise ValueError(
                f"Every metric must have a unique name, but {name!r} was reported by "
                "report_metric() and by a head. Rename the head, or the reported metric."
            )
        metrics[name] = value
