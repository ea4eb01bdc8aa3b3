"""Which head each metric of an epoch belongs to, and which of them matters most."""

import itertools
import math
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from multitask_model.routing.output_names import LOSS, WEIGHT
from multitask_model.training.aggregation_checks import GRADIENT_NORM, conflict_name
from multitask_model.training.report.records import MODEL, Metrics

PREFERRED = ("LAS", "f1-measure-overall", "f1", "fscore", "accuracy", "spearman", "pearson")
"""The main metric of a head is the first of these that it has."""

SMALLER_IS_BETTER = (LOSS, "mae", "mse", "rmse", "perplexity", "error")

NOT_SCORES = (WEIGHT, GRADIENT_NORM)


class MainMetric(NamedTuple):
    """
    A metric of a head, and its direction.

        >>> MainMetric("f1-measure-overall", 1).label
        'f1'
    """

    name: str
    sign: int
    """1 if larger is better, -1 if smaller is better."""

    @property
    def label(self) -> str:
        """A name for a narrow column."""
        return self.name.replace("f1-measure", "f1").replace("-overall", "")


def split_metrics(
    metrics: Mapping[str, object], prefix: str, heads: Mapping[str, Sequence[str]]
) -> Dict[str, Metrics]:
    """
    Returns the metrics that begin with `prefix` by head. Those of a single task, which
    `per_task_metrics` adds, are named `TASK: METRIC`. Hidden metrics, numbers of memory and
    everything that is not a finite number are left out.

        >>> metrics = {"training_loss": 3.0, "training_ner_loss": 1.0, "training_news_ner_f1": 0.5}
        >>> split_metrics(metrics, "training_", {"ner": ["news", "mail"]})
        {'': {'loss': 3.0}, 'ner': {'loss': 1.0, 'news: f1': 0.5}}
    """
    owners = _owners(heads)
    conflicts = {conflict_name(a, b) for a, b in itertools.combinations(heads, 2)}
    result: Dict[str, Metrics] = {}
    for full_name, value in metrics.items():
        name = full_name[len(prefix) :]
        if not full_name.startswith(prefix) or name in conflicts or not _is_shown(name, value):
            continue
        start = next((start for start in owners if name.startswith(start)), None)
        head, task = (MODEL, "") if start is None else owners[start]
        assert isinstance(value, (int, float))
        result.setdefault(head, {})[task + name[len(start or "") :]] = float(value)
    return result


def _owners(heads: Mapping[str, Sequence[str]]) -> Dict[str, Tuple[str, str]]:
    """The head and the task of each prefix of a metric's name, the longest prefix first."""
    owners = {f"{head}_": (head, "") for head in heads}
    for head, tasks in heads.items():
        for task in tasks if len(tasks) > 1 else ():
            owners.setdefault(f"{task}_{head}_", (head, f"{task}: "))
    return dict(sorted(owners.items(), key=lambda item: -len(item[0])))


def _is_shown(name: str, value: object) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    is_hidden = name.startswith("_") or name.endswith("_memory_MB")
    return is_number and not is_hidden and math.isfinite(value)  # type: ignore[arg-type]


def find_cosines(
    metrics: Mapping[str, object], prefix: str, heads: Sequence[str]
) -> List[Tuple[str, str, float]]:
    """Returns the cosine between the gradients of each pair of heads that has one."""
    found = []
    for a, b in itertools.combinations(heads, 2):
        value = metrics.get(prefix + conflict_name(a, b))
        if isinstance(value, float) and math.isfinite(value):
            found.append((a, b, value))
    return found


def main_metric(
    head: str, names: Sequence[str], validation_metric: Sequence[str], named: Optional[str]
) -> MainMetric:
    """
    Chooses the metric that stands for a head: the one that the user named, the one in the trainer's
    `validation_metric`, the first of `PREFERRED` that the head has, or its first metric.

        >>> main_metric("parser", ["loss", "UAS", "LAS"], ["-loss"], None)
        MainMetric(name='LAS', sign=1)

    # Parameters

    head : `str`
    names : `Sequence[str]`
        The metrics of the head.
    validation_metric : `Sequence[str]`
        Metrics of the model, each with a sign.
    named : `Optional[str]`
        A metric of the head, with a sign.
    """
    if named is not None:
        return MainMetric(named[1:], -1 if named[0] == "-" else 1)
    for text in validation_metric:
        name = text[len(head) + 2 :]
        if text[1:] == f"{head}_{name}" and name in names:
            return MainMetric(name, -1 if text[0] == "-" else 1)
    scores = [n for n in names if n != LOSS and n not in NOT_SCORES and ": " not in n]
    name = next((name for name in PREFERRED if name in scores), (scores or [LOSS])[0])
    return MainMetric(name, -1 if name.endswith(SMALLER_IS_BETTER) else 1)
