"""The `dynamic` sampler."""

import logging
import math
from typing import Any, Dict, Mapping, Optional, Sequence, Sized

from allennlp.common.checks import ConfigurationError
from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler
from overrides import overrides

from multitask_model.compat.allennlp_internals import register_in_place
from multitask_model.data.samplers.epoch_sampler import EpochSampler
from multitask_model.data.samplers.proportions import normalize
from multitask_model.data.samplers.tracked_metrics import (
    VALIDATION_PREFIX,
    find_metric,
    parse_metric,
)
from multitask_model.data.value_checks import check_keys, is_finite_number
from multitask_model.errors import check_known

logger = logging.getLogger(__name__)


def relative_gap(value: float, target: float, sign: int) -> float:
    """
    Returns the distance from `value` to `target`, divided by the larger of their absolute values;
    0 if `value` reaches the target. `sign` is 1 if larger is better and -1 if smaller is better.
    """
    # Dividing before subtracting avoids an overflow.
    scale = max(abs(value), abs(target)) or 1.0
    return max(0.0, sign * (target / scale - value / scale))


@register_in_place(MultiTaskEpochSampler, "dynamic")
class DynamicSampler(EpochSampler):
    """
    Samples a dataset more often the further its validation metric is from its target. With metric
    v_i of the last epoch and target t_i, the proportion of dataset i is

    (g_i + f) / sum_j (g_j + f)   with the gap   g_i = max(0, t_i - v_i) / max(|t_i|, |v_i|)

    If smaller is better, the numerator of the gap is max(0, v_i - t_i). Gaps of metrics that are
    never negative lie between 0 and 1. The floor f keeps datasets that have reached their targets
    in the epoch, and limits the effect of small, noisy gaps. Equal gaps give equal proportions.

    Proposed by Gottumukkala et al. (2020), *Dynamic Sampling Strategies for Multi-Task Reading
    Comprehension*, https://aclanthology.org/2020.acl-main.86, who sample by the gap to the score of
    a single-task model: pass such scores as `targets`. A dataset without a target is compared with
    its own best value so far, so it is sampled more often when the model forgets it. The floor and
    the relative gaps, which make losses and scores comparable, are additions of this library.

    The first epoch is uniform. Requires the trainer callback `multitask_data`, which passes the
    metrics on, and the data loader `multitask` of this library.

    Registered as a `MultiTaskEpochSampler` with name "dynamic".

    # Parameters

    metrics : `Dict[str, str]`
        The metric of each dataset, with the prefix `+` if larger is better or `-` if smaller is
        better, such as `"+HEAD_accuracy"`. The value is that of the trainer's metric
        `validation_NAME` or, if there is none, `NAME`. A value that is not finite is ignored and
        the last finite value is kept; without one, the gap is the largest gap of the other
        datasets.
    targets : `Dict[str, float]`, optional (default = `None`)
        Target values for some or all of the datasets. The gap to a target of 0 is 1 until the
        target is reached.
    floor : `float`, optional (default = `0.1`)
        f, above 0.

    # Raises

    `ConfigurationError`
        If a parameter is invalid. At construction of the loader: if a dataset has no metric, or a
        metric is for an unknown dataset. During training: if a metric is missing, or an epoch after
        the first starts without metrics.

    # Examples

    >>> from multitask_model.data.samplers import DynamicSampler
    >>> sampler = DynamicSampler(
    ...     {"tweets": "+polarity_accuracy", "ewt": "-parser_loss"},
    ...     targets={"tweets": 0.8},
    ... )
    >>> sampler.update_from_epoch_metrics(
    ...     {"validation_polarity_accuracy": 0.6, "validation_parser_loss": 1.0}
    ... )
    >>> sampler.get_task_proportions({"tweets": range(900), "ewt": range(100)})  # 0.35 : 0.1
    {'tweets': 0.777..., 'ewt': 0.222...}
    """

    def __init__(
        self,
        metrics: Dict[str, str],
        targets: Optional[Dict[str, float]] = None,
        floor: float = 0.1,
    ) -> None:
        super().__init__()
        self._metrics = {task: parse_metric(task, text) for task, text in metrics.items()}
        self._targets = dict(targets or {})
        _check_targets(self._targets, metrics)
        _check_floor(floor)
        self._floor = floor
        self._values: Dict[str, float] = {}
        self._best: Dict[str, float] = {}
        self._updated = False

    @overrides
    def check_tasks(self, tasks: Sequence[str], known: Optional[Sequence[str]] = None) -> None:
        check_keys("metrics", self._metrics, tasks, known)

    @overrides
    def start_epoch(self, epoch: int) -> None:
        if epoch > 0 and not self._updated:
            raise ConfigurationError(
                "The sampler 'dynamic' requires the metrics of each epoch, but got none before "
                f'epoch {epoch}. Add {{"type": "multitask_data"}} to the callbacks of the trainer.'
            )

    # Older releases of `overrides` reject `object` for the values.
    @overrides(check_signature=False)
    def update_from_epoch_metrics(self, epoch_metrics: Mapping[str, object]) -> None:
        names = {metric.name for metric in self._metrics.values()}
        if not any(key.startswith(VALIDATION_PREFIX) or key in names for key in epoch_metrics):
            logger.warning("No validation metrics: the sampler 'dynamic' keeps its proportions.")
            self._updated = True
            return
        found = {
            task: find_metric(task, metric.name, epoch_metrics)
            for task, metric in self._metrics.items()
        }
        self._updated = True
        for task, value in found.items():
            self._update(task, value)

    def _update(self, task: str, value: float) -> None:
        if not math.isfinite(value):
            logger.warning("The metric of the dataset %r is %r and is ignored.", task, value)
            return
        sign = self._metrics[task].sign
        self._values[task] = value
        self._best[task] = sign * max(sign * value, sign * self._best.get(task, value))

    @overrides
    def get_task_proportions(self, data_loaders: Mapping[str, Sized]) -> Dict[str, float]:
        self.check_tasks(list(data_loaders), known=list(self._metrics))
        gaps = {task: self._gap(task) for task in data_loaders if task in self._values}
        largest = max(gaps.values(), default=0.0)
        return normalize({task: gaps.get(task, largest) + self._floor for task in data_loaders})

    def _gap(self, task: str) -> float:
        target = self._targets.get(task, self._best[task])
        return relative_gap(self._values[task], target, self._metrics[task].sign)

    @overrides
    def state_dict(self) -> Dict[str, object]:
        values, best = dict(self._values), dict(self._best)
        return {"values": values, "best": best, "updated": self._updated}

    @overrides
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._values, self._best = dict(state["values"]), dict(state["best"])
        self._updated = state["updated"]


def _check_targets(targets: Mapping[str, float], metrics: Mapping[str, str]) -> None:
    check_known("targets", "datasets that have metrics", targets, metrics)
    for task, target in targets.items():
        if not is_finite_number(target):
            raise ConfigurationError(
                f"targets must be finite numbers, but got {target!r} for {task!r}. Correct it, or "
                "remove it to use the best value so far."
            )


def _check_floor(floor: float) -> None:
    if not is_finite_number(floor) or floor <= 0:
        raise ConfigurationError(
            f"floor must be a finite number above 0, but got {floor!r}. A smaller floor gives less "
            "to datasets that have reached their targets."
        )
