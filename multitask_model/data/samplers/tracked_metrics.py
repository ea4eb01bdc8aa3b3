"""Metric names with a direction, such as `+accuracy` or `-loss`, and their values."""

from typing import Mapping, NamedTuple, SupportsFloat

from allennlp.common.checks import ConfigurationError

from multitask_model.errors import format_names, suggest

VALIDATION_PREFIX = "validation_"


class MetricName(NamedTuple):
    """
    The name of a metric and its sign: 1 if larger is better, -1 if smaller is better.

        >>> parse_metric("ewt", "-upos_loss")
        MetricName(name='upos_loss', sign=-1)
    """

    name: str
    sign: int


def parse_metric(task: str, text: object) -> MetricName:
    """
    Splits a metric such as `"+accuracy"` into its name and its sign.

    # Raises

    `ConfigurationError`
        If `text`, the metric of the dataset `task`, does not start with `+` or `-`.
    """
    if not isinstance(text, str) or len(text) < 2 or text[0] not in "+-":
        raise ConfigurationError(
            f"The metric of the dataset {task!r} must start with '+' (larger is better) or '-' "
            f"(smaller is better), but got {text!r}. Write it as '+HEAD_accuracy'."
        )
    return MetricName(text[1:], 1 if text[0] == "+" else -1)


def find_metric(task: str, name: str, metrics: Mapping[str, object]) -> float:
    """
    Returns the value of the validation metric `name` or, if there is none, of the metric `name`.

    # Raises

    `ConfigurationError`
        If `metrics` has neither, or the value is not a number.
    """
    key = next((key for key in (VALIDATION_PREFIX + name, name) if key in metrics), None)
    if key is None:
        prefix = len(VALIDATION_PREFIX)
        validation = [key[prefix:] for key in metrics if key.startswith(VALIDATION_PREFIX)]
        raise ConfigurationError(
            f"The metric of the dataset {task!r} must be one of the epoch's metrics, but found "
            f"neither {VALIDATION_PREFIX + name!r} nor {name!r}.{suggest(name, validation)} "
            f"Validation metrics: {format_names(validation)}. Correct the name, or add validation "
            "data."
        )
    value = metrics[key]
    try:
        if isinstance(value, (str, SupportsFloat)):
            return float(value)
    except (TypeError, ValueError):
        pass
    raise ConfigurationError(
        f"The metric of the dataset {task!r} must be a number, but got {value!r} for {key!r}. "
        "Choose another metric."
    )
