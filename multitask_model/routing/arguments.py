"""Which available value goes to which argument of a component."""

import inspect
from typing import Dict, Iterable, Mapping, Optional, Set, Tuple

import torch

from multitask_model.errors import check_known, format_names, suggest
from multitask_model.routing.inputs import works_in_place
from multitask_model.routing.output_names import BACKBONE
from multitask_model.routing.signatures import VARIADIC, forward_parameters

MAX_BINDINGS = 1024
"""The number of bindings that a router remembers."""

Binding = Dict[str, str]
"""The name of an available value, by the argument that it is passed to."""


class Router:
    """
    Selects the arguments of one component from the values that a batch makes available.

        >>> import torch
        >>> class Encoder(torch.nn.Module):
        ...     def forward(self, text, mask=None): ...
        >>> Router("backbone", Encoder(), {"question": "text"}).bind(("question", "label"))
        {'text': 'question'}

    # Parameters

    component : `str`
        `"backbone"` or the name of a head, for error messages.
    module : `torch.nn.Module`
        The component, whose `forward` is inspected.
    name_mapping : `Mapping[str, str]`, optional (default = `{}`)
        From names of available values to names of arguments.
    allowed_arguments : `Iterable[str]`, optional (default = the arguments of `forward`)
        The arguments that may be passed. By default a `forward` with `**kwargs` gets every value.
    copy_inputs : `bool`, optional (default = `False`)
        Whether the component must get copies of its inputs. A component with a module that works in
        place, such as `ReLU(inplace=True)`, always does.

    # Raises

    `ConfigurationError`
        If `name_mapping` or `allowed_arguments` has an argument that `forward` does not take.
    """

    def __init__(
        self,
        component: str,
        module: torch.nn.Module,
        name_mapping: Optional[Mapping[str, str]] = None,
        allowed_arguments: Optional[Iterable[str]] = None,
        copy_inputs: bool = False,
    ) -> None:
        parameters = forward_parameters(module)
        named = [parameter for parameter in parameters if parameter.kind not in VARIADIC]
        names = [parameter.name for parameter in named]
        takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)

        self.component = component
        self.copies_inputs = copy_inputs or works_in_place(module)
        """Whether the component gets copies of its inputs."""
        self._names = set(names)
        self._bindings: Dict[Tuple[str, ...], Binding] = {}
        self._mapping = dict(name_mapping or {})
        self._takes_any = takes_any and allowed_arguments is None
        self._allowed = set(names if allowed_arguments is None else allowed_arguments)
        self._required = {p.name for p in named if p.default is inspect.Parameter.empty}
        if not takes_any:
            what = f"an argument that forward() of {component!r} takes"
            check_known("arg_name_mapping", what, self._mapping.values(), names)
            check_known("allowed_arguments", what, sorted(self._allowed), names)

    def bind(self, names: Tuple[str, ...]) -> Binding:
        """
        Assigns the available values to the arguments of the component.

        # Parameters

        names : `Tuple[str, ...]`
            The names of all available values.

        # Returns

        `Dict[str, str]`
            The name of a value for each argument that gets one.

        # Raises

        `ValueError`
            If two values map to one argument, or a required argument is missing.
        """
        binding = self._bindings.get(names)
        if binding is None:
            binding = self._remember(names, self._bind(names))
        return binding

    def bind_selected(self, names: Tuple[str, ...]) -> Binding:
        """
        The same, for names that differ from batch to batch: only those that the component takes are
        remembered.
        """
        selected = tuple(filter(self.takes, names))
        binding = self._bindings.get(selected)
        if binding is None:
            binding = self._remember(selected, self._bind(names))
        return binding

    def _remember(self, names: Tuple[str, ...], binding: Binding) -> Binding:
        if len(self._bindings) >= MAX_BINDINGS:
            self._bindings.clear()
        self._bindings[names] = binding
        return binding

    def _bind(self, names: Tuple[str, ...]) -> Binding:
        binding: Binding = {}
        for name in names:
            argument = self._mapping.get(name, name)
            if self._takes_any or argument in self._allowed:
                if argument in binding:
                    raise ValueError(self._duplicate(argument, names))
                binding[argument] = name
        if not self._required <= binding.keys():
            raise ValueError(self._missing(binding, names))
        return binding

    def argument_of(self, name: str) -> str:
        """Returns the name of the argument that the value of this name maps to."""
        return self._mapping.get(name, name)

    def takes(self, name: str) -> bool:
        """Whether the component has an argument for the value of this name."""
        return self._takes_any or self._mapping.get(name, name) in self._allowed

    def named_arguments(self, available: Iterable[str]) -> Dict[str, str]:
        """Maps the available names to arguments, except those that only `**kwargs` would take."""
        arguments = {name: self._mapping.get(name, name) for name in available}
        return {n: a for n, a in arguments.items() if a in self._names and a in self._allowed}

    @property
    def name_mapping(self) -> Mapping[str, str]:
        """From names of available values to names of arguments."""
        return self._mapping

    @property
    def allowed_arguments(self) -> Set[str]:
        """The arguments that may be passed, except those that only `**kwargs` would take."""
        return self._allowed & self._names

    @property
    def optional_arguments(self) -> Set[str]:
        """The arguments that may be passed and have a default."""
        return (self._allowed & self._names) - self._required

    def _duplicate(self, argument: str, available: Iterable[str]) -> str:
        sources = [name for name in available if self._mapping.get(name, name) == argument]
        return (
            f"{self.component!r} got duplicate argument {argument}: an argument takes one value "
            f"per batch, but {format_names(sources)} all map to it in this batch. Keep these "
            "inputs in separate batches, or change arg_name_mapping."
        )

    def _missing(self, arguments: Iterable[str], available: Iterable[str]) -> str:
        missing = sorted(self._required.difference(arguments))
        mapped = [self._mapping.get(name, name) for name in available]
        excluded = [name for name in missing if name in mapped]
        remedy = (
            "Add it in the dataset reader, or map an available name to it: "
            f"arg_name_mapping={{{self.component!r}: {{NAME: {missing[0]!r}}}}}."
        )
        if self.component != BACKBONE:
            remedy += " If it is a label, give it the default None, because a prediction has none."
        if excluded:
            remedy = (
                f"allowed_arguments leaves out {format_names(excluded)}: add what is required to "
                "it."
            )
        return (
            f"{self.component!r} requires the argument {', '.join(map(repr, missing))}, but only "
            f"{format_names(mapped)} are available to it (after arg_name_mapping)."
            f"{suggest(missing[0], set(mapped) - set(missing))} {remedy}"
        )
