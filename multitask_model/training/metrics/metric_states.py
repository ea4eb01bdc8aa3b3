"""Adding up what a metric counted in several processes."""

import functools
from typing import Any, Dict, Mapping, MutableMapping, Optional, Sequence, Tuple, Type, cast

import torch
from allennlp.training.metrics import Metric

from multitask_model.compat.allennlp_metrics import SUMMED_ATTRIBUTES
from multitask_model.routing.inputs import map_tensors

State = Dict[str, object]
"""What a metric counted, by the name of the attribute that has it."""


def summed_attributes(metric_class: type) -> Optional[Tuple[str, ...]]:
    """
    Returns the attributes in which a class of metrics counts, if they can be summed: those in its
    own `summed_attributes`, which its subclasses do not inherit, or those known of AllenNLP's
    classes. An attribute may be a number, a tensor, a list, a dictionary of these, `None`, a metric
    with such attributes, or anything with a method `merge`. `None` for a `torch.nn.Module`, whose
    buffers `DistributedDataParallel` replaces by those of the first process.
    """
    if issubclass(metric_class, torch.nn.Module):
        return None
    own = vars(metric_class).get("summed_attributes", SUMMED_ATTRIBUTES.get(metric_class))
    return cast(Optional[Tuple[str, ...]], own)


def class_of(metric: Metric) -> Type[Metric]:
    """Returns the class that a metric has, or had before it became a `LocalMetric`."""
    return cast(Type[Metric], getattr(type(metric), "local_original", type(metric)))


def state_of(metric: Metric, attributes: Sequence[str]) -> State:
    """
    Returns a copy of what a metric counted, with its tensors on the CPU.

        >>> from allennlp.training.metrics import BooleanAccuracy
        >>> accuracy = BooleanAccuracy()
        >>> accuracy(torch.tensor([1, 0]), torch.tensor([1, 1]))
        >>> state_of(accuracy, summed_attributes(BooleanAccuracy))
        {'_correct_count': 1.0, '_total_count': 2.0}
    """
    return {name: _copy(getattr(metric, name)) for name in attributes}


def _copy(value: object) -> object:
    if isinstance(value, Metric):
        return state_of(value, _attributes_of(value))
    return map_tensors(to_cpu, value)


def _attributes_of(metric: Metric) -> Tuple[str, ...]:
    attributes = summed_attributes(class_of(metric))
    assert attributes is not None, f"{type(metric).__name__} must have summed_attributes"
    return attributes


def to_cpu(tensor: torch.Tensor) -> torch.Tensor:
    """Returns a copy on the CPU, without a gradient."""
    return tensor.detach().to("cpu", copy=True)


def sum_states(states: Sequence[State]) -> State:
    """Adds up what one metric counted in several processes."""
    total: State = functools.reduce(_add, states)
    return total


def _add(first: Any, second: Any) -> Any:
    if first is None or second is None:
        return second if first is None else first
    if isinstance(first, Mapping):
        names = dict.fromkeys([*first, *second])
        return {name: _add(first.get(name), second.get(name)) for name in names}
    if hasattr(first, "merge"):
        return first.merge(second)
    return first + second


def set_state(metric: Metric, state: State) -> None:
    """Lets a metric have counted `state` instead of what it counted."""
    for name, value in state.items():
        old = getattr(metric, name)
        if isinstance(old, Metric):
            set_state(old, cast(State, value))
        elif isinstance(old, MutableMapping) and isinstance(value, Mapping):
            old.clear()
            old.update(value)  # such as a `Counter`, which stays one
        elif isinstance(old, torch.Tensor) and isinstance(value, torch.Tensor):
            setattr(metric, name, value.to(old.device))
        else:
            setattr(metric, name, value)
