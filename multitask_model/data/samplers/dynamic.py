"""The `dynamic` sampler."""

import logging
import math
from typing import Any, Dict, Mapping, Optional, Sequence, Sized

from allennlp.common.checks import ConfigurationError
from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler
from overrides import overrides

from multitask_model.data.samplers.epoch_sampler import EpochSampler
from multitask_model.data.samplers.proportions import check_keys, is_number, normalize
from multitask_model.data.samplers.tracked_metrics import find_metric, parse_metric
from multitask_model.errors import check_known

logger = logging.getLogger(__name__)


def relative_gap(value: float, target: float, sign: int) -> float:
    """
    How far `value` is from `target`, relative to the larger of the two (without their signs); 0 if
    it is as good or better. `sign` is 1 if larger is better, and -1 if smaller is.
    """
    scale = max(abs(value), abs(target)) or 1.0
    return max(0.0, sign * (target / scale - value / scale))


@MultiTaskEpochSampler.register("dynamic", exist_ok=True)
class DynamicSampler(EpochSampler):
    """
    More of a dataset, the further its validation metric is from where it should be. With the
    metric v_i of the last epoch and the target t_i, the share of dataset i is

    (g_i + f) / sum_j (g_j + f)   with the gap   g_i = max(0, t_i - v_i) / max(|t_i|, |v_i|)

    or v_i - t_i there if smaller is better. If a metric is never negative, its gap is between 0
    and 1. The floor f keeps a share for datasets that have reached their targets, and keeps small
    gaps, which may be noise, from deciding everything. Equal gaps make equal shares.

    After Gottumukkala et al. (2020), *Dynamic Sampling Strategies for Multi-Task Reading
    Comprehension*, https://aclanthology.org/2020.acl-main.86, who sample by the gap to the score
    of a model of that dataset alone: give such scores as `targets`. A dataset without one has its
    own best value so far as its target, so it gets more when it is being forgotten. The floor, and
    gaps that are relative, so that losses and scores compare, are ours.

    The first epoch is uniform. The metrics come from the trainer callback `multitask_data`; like
    that, the sampler needs the loader of this library.

    Registered as a `MultiTaskEpochSampler` with name "dynamic".

    # Parameters

    metrics : `Dict[str, str]`
        For each dataset the name of a metric, with `+` before it if larger is better and `-` if
        smaller is, such as `"+HEAD_accuracy"`. It is looked up among the trainer's metrics with
        `validation_` before it, and as it stands if there is none of that name. Where the value is
        not finite, the last one that was stands; before there is one, the gap is the largest of
        the others.
    targets : `Dict[str, float]`, optional (default = `None`)
        The values to reach, for some or all of the datasets. The gap to a target of 0 is 1 unless
        it is reached.
    floor : `float`, optional (default = `0.1`)
        f, above 0.

    # Raises

    `ConfigurationError`
        If a parameter is none of these. When the loader is made: if a dataset has no metric, or a
        metric is for no dataset. In training: if a metric is not there, or if an epoch other than
        the first starts and no metrics have come.
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
        check_known("targets", "datasets that have metrics", self._targets, metrics)
        for task, target in self._targets.items():
            if not is_number(target):
                raise ConfigurationError(
                    f"targets must be finite numbers, but that of the dataset {task!r} is "
                    f"{target!r}. Correct it, or leave it out for the best value so far."
                )
        if not is_number(floor) or floor <= 0:
            raise ConfigurationError(
                f"floor must be a finite number above 0, but it is {floor!r}. The smaller, the "
                "less is left for datasets that have reached their targets."
            )
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
                "The sampler 'dynamic' must be told the metrics of each epoch, but none have come "
                f'before epoch {epoch}. Add {{"type": "multitask_data"}} to the callbacks of the '
                "trainer."
            )

    @overrides
    def update_from_epoch_metrics(self, epoch_metrics: Mapping[str, Any]) -> None:
        names = {metric.name for metric in self._metrics.values()}
        if not any(key.startswith("validation_") or key in names for key in epoch_metrics):
            logger.warning("There was no validation: the sampler 'dynamic' keeps its shares.")
            self._updated = True
            return
        found = {
            task: find_metric(task, metric.name, epoch_metrics)
            for task, metric in self._metrics.items()
        }
        self._updated = True
        for task, value in found.items():
            if not math.isfinite(value):
                logger.warning("The metric of the dataset %r is %r: passed over.", task, value)
                continue
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
    def state_dict(self) -> Dict[str, Any]:
        return {
            "values": dict(self._values),
            "best": dict(self._best),
            "updated": self._updated,
        }

    @overrides
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._values, self._best = dict(state["values"]), dict(state["best"])
        self._updated = state["updated"]
