"""Which arguments a component's `forward` takes, and picking them out of what is available."""

import inspect
from typing import Any, Dict, Iterable, List, Mapping, Optional, Set, Tuple

import torch
from allennlp.models.model import Model
from allennlp.modules.backbones.backbone import Backbone

from multitask_model.errors import check_known, format_names, suggest

VARIADIC = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
_WRAPPED_ATTRIBUTES = ("module", "_orig_mod", "_checkpoint_wrapped_module")

Plan = Dict[str, str]


def unwrap(module: torch.nn.Module) -> torch.nn.Module:
    """
    The module inside `DistributedDataParallel`, `torch.compile` or a fairscale wrapper: anything
    whose `forward` is `forward(*args, **kwargs)` around a `.module` or an `._orig_mod`. A module
    that is not such a wrapper is returned as it is.
    """
    is_component = isinstance(module, (Model, Backbone))
    if not is_component and _only_variadic(inspect.signature(module.forward)):
        for attribute in _WRAPPED_ATTRIBUTES:
            inner = getattr(module, attribute, None)
            if isinstance(inner, torch.nn.Module):
                return unwrap(inner)
    return module


def get_forward_arguments(module: torch.nn.Module) -> Set[str]:
    """
    The names of the arguments that `module.forward` takes. `*args` and `**kwargs` are not names.

    # Parameters

    module : `torch.nn.Module`
        A backbone, a head, or a wrapper around one, which is inspected at what it wraps.

    # Returns

    `Set[str]`
    """
    return {parameter.name for parameter in _parameters(module) if parameter.kind not in VARIADIC}


def _only_variadic(signature: inspect.Signature) -> bool:
    return {parameter.kind for parameter in signature.parameters.values()} == VARIADIC


def _parameters(module: torch.nn.Module) -> List[inspect.Parameter]:
    module = unwrap(module)
    signature = inspect.signature(module.forward)
    if _only_variadic(signature):
        # Activation checkpointing replaces `forward` on the instance; the class has the real one.
        of_class = inspect.signature(type(module).forward)
        return list(of_class.parameters.values())[1:]
    return [parameter for parameter in signature.parameters.values() if parameter.name != "self"]


def available_to_heads(inputs: Mapping[str, Any], encoded: Mapping[str, Any]) -> Dict[str, Any]:
    """
    Everything that heads may take: the backbone's outputs, and the fields of the batch.

    # Raises

    `ValueError`
        If an input has the name of a backbone output, and is not that very output.
    """
    for name in encoded:
        if name in inputs and inputs[name] is not encoded[name]:
            raise ValueError(
                "What heads are offered needs a name of its own, but "
                f"{name!r} is an input of the batch and also an output of the backbone, which it "
                "would hide. Rename the field in the dataset reader, or the backbone's output."
            )
    return {**encoded, **inputs}


class Router:
    """
    Picks the arguments of one component out of everything that a batch makes available.

    # Parameters

    component : `str`
        `"backbone"` or the name of a head, for error messages.
    module : `torch.nn.Module`
        The component, whose `forward` is inspected.
    name_mapping : `Mapping[str, str]`, optional (default = `{}`)
        New names for available values, by their present names.
    allowed_arguments : `Iterable[str]`, optional (default = what `forward` takes)
        The arguments that may be passed on. Everything, if `forward` takes `**kwargs`.

    # Raises

    `ConfigurationError`
        If a mapping leads to, or an allowed argument is, a name that `forward` does not take.
    """

    def __init__(
        self,
        component: str,
        module: torch.nn.Module,
        name_mapping: Optional[Mapping[str, str]] = None,
        allowed_arguments: Optional[Iterable[str]] = None,
    ) -> None:
        parameters = _parameters(module)
        named = [parameter for parameter in parameters if parameter.kind not in VARIADIC]
        takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
        names = [parameter.name for parameter in named]

        self._component = component
        self._names = set(names)
        self._plans: Dict[Tuple[str, ...], Plan] = {}
        self._mapping = dict(name_mapping or {})
        self._takes_any = takes_any and allowed_arguments is None
        self._allowed = set(names if allowed_arguments is None else allowed_arguments)
        self._required = {p.name for p in named if p.default is inspect.Parameter.empty}
        if not takes_any:
            what = f"an argument that forward() of {component!r} takes"
            check_known("arg_name_mapping", what, self._mapping.values(), names)
            check_known("allowed_arguments", what, sorted(self._allowed), names)

    def bind(self, names: Tuple[str, ...]) -> Plan:
        """
        Which argument of the component each available value is for.

        # Parameters

        names : `Tuple[str, ...]`
            The names of everything that is available.

        # Returns

        `Dict[str, str]`
            The name of the available value, by argument.

        # Raises

        `ValueError`
            If two available values lead to one argument, or a required argument is not there.
        """
        plan = self._plans.get(names)
        if plan is None:
            plan = self._plans[names] = self._make_plan(names)
        return plan

    def _make_plan(self, names: Tuple[str, ...]) -> Plan:
        plan: Plan = {}
        for name in names:
            argument = self._mapping.get(name, name)
            if self._takes_any or argument in self._allowed:
                if argument in plan:
                    raise ValueError(self._duplicate(argument, names))
                plan[argument] = name
        if not self._required <= plan.keys():
            raise ValueError(self._missing(plan, names))
        return plan

    def select(self, values: Mapping[str, Any]) -> Dict[str, Any]:
        """Those of the values that lead to an argument of the component."""
        return {
            name: value
            for name, value in values.items()
            if self._takes_any or self._mapping.get(name, name) in self._allowed
        }

    def named_arguments(self, available: Iterable[str]) -> Dict[str, str]:
        """The argument of each available value that leads to one that `forward` names."""
        arguments = {name: self._mapping.get(name, name) for name in available}
        return {n: a for n, a in arguments.items() if a in self._names and a in self._allowed}

    def _duplicate(self, argument: str, available: Iterable[str]) -> str:
        sources = [name for name in available if self._mapping.get(name, name) == argument]
        return (
            f"{self._component!r} got duplicate argument {argument}: each argument takes one value "
            f"per batch, but this batch has {format_names(sources)}, which all lead to it. Keep "
            f"these "
            "inputs in separate batches, or change arg_name_mapping."
        )

    def _missing(self, arguments: Iterable[str], available: Iterable[str]) -> str:
        missing = sorted(self._required.difference(arguments))
        mapped = [self._mapping.get(name, name) for name in available]
        excluded = [name for name in missing if name in mapped]
        remedy = (
            f"allowed_arguments leaves out {format_names(excluded)}: add what is required to it."
            if excluded
            else "Add it in the dataset reader, or lead an available name to it with "
            f"arg_name_mapping={{{self._component!r}: {{NAME: {missing[0]!r}}}}}."
        )
        return (
            f"{self._component!r} requires the argument {', '.join(map(repr, missing))}, but what "
            f"is available to it (after arg_name_mapping) is {format_names(mapped)}."
            f"{suggest(missing[0], set(mapped) - set(missing))} {remedy}"
        )
