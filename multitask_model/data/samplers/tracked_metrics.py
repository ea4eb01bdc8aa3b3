"""Metrics by name: which way is better, and their values among the trainer's metrics."""

from typing import Any, Mapping, NamedTuple

from allennlp.common.checks import ConfigurationError

from multitask_model.errors import format_names, suggest

_PREFIX = "validation_"


class MetricName(NamedTuple):
    """The name of a metric, and 1 if larger is better or -1 if smaller is."""

    name: str
    sign: int


def parse_metric(task: str, text: str) -> MetricName:
    """
    # Raises

    `ConfigurationError`
        If `text`, the metric of the dataset `task`, is not a name with `+` or `-` before it.
    """
    if not isinstance(text, str) or len(text) < 2 or text[0] not in "+-":
        raise ConfigurationError(
            f"The metric of the dataset {task!r} must be a name with '+' before it if larger is "
            f"better, or '-' if smaller is, but it is {text!r}. Write it as '+HEAD_accuracy'."
        )
    return MetricName(text[1:], 1 if text[0] == "+" else -1)


def find_metric(task: str, name: str, metrics: Mapping[str, Any]) -> float:
    """
    # Returns

    `float`
        The value of the validation metric `name`, or of `name` as it stands.

    # Raises

    `ConfigurationError`
        If there is neither, or it is not a number.
    """
    found = next((key for key in (_PREFIX + name, name) if key in metrics), None)
    if found is None:
        validated = [key[len(_PREFIX) :] for key in metrics if key.startswith(_PREFIX)]
        raise ConfigurationError(
            f"The metric of the dataset {task!r} must be among those of the epoch, but neither "
            f"{_PREFIX + name!r} nor {name!r} is.{suggest(name, validated)} "
            f"Validation metrics: {format_names(validated)}. Correct its name, or give the trainer "
            "validation data."
        )
    try:
        return float(metrics[found])
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"The metric of the dataset {task!r} must be a number, but {found!r} is "
            f"{metrics[found]!r}. Name another one."
        ) from error
