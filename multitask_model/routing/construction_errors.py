"""All configuration errors of a model, where its constructor raises the first."""

from typing import Any, Callable, Collection, Dict, List, Mapping, NamedTuple, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.models.heads import Head

from multitask_model.routing.arguments import Router
from multitask_model.routing.checks import add_module, check_components, make_module_dict
from multitask_model.routing.fit_checks import check_head
from multitask_model.routing.output_names import BACKBONE
from multitask_model.routing.tasks import TaskHeads

Options = Dict[str, Any]
"""Parameters of `MultiTaskModel`."""

_BY_COMPONENT = ("loss_weights", "arg_name_mapping", "allowed_arguments", "copy_inputs")


class ConstructionError(NamedTuple):
    """An error, and the component that it is about, if it is about one."""

    component: Optional[str]
    message: str


class ConstructionErrors:
    """
    Makes the checks of `MultiTaskModel.__init__` one by one, for every name of its parameters.

        >>> class Encoder(torch.nn.Module):
        ...     def forward(self, text): ...
        >>> class Classifier(torch.nn.Module):
        ...     def forward(self, encoded, label=None): ...
        >>> checks = ConstructionErrors(Encoder(), {"polarity": Classifier()}, ["polarity"])
        >>> mapping = {"polarty": {}, "polarity": {"a": "label", "b": "labels"}}
        >>> checks.check({"arg_name_mapping": mapping})
        {'arg_name_mapping': {'polarity': {'a': 'label'}}}
        >>> for component, message in checks.found:
        ...     print(component, message)
        None arg_name_mapping must name 'backbone' or a head, but got 'polarty'. Did you mean ...
        polarity arg_name_mapping must name an argument that forward() of 'polarity' takes, but ...

    # Parameters

    backbone : `torch.nn.Module`
        `None` if it could not be built.
    heads : `Mapping[str, torch.nn.Module]`
        The heads that could be built.
    names : `Collection[str]`
        The names of all heads.
    """

    def __init__(
        self,
        backbone: Optional[torch.nn.Module],
        heads: Mapping[str, Head],
        names: Collection[str],
    ) -> None:
        self._backbone = backbone
        self._heads = heads
        self._names = list(names)
        self.found: List[ConstructionError] = []
        """The errors so far."""

    def attempt(self, component: Optional[str], check: Callable[..., object], *args: Any) -> bool:
        """Calls `check` and records a `ConfigurationError`. Returns whether there was none."""
        try:
            check(*args)
        except ConfigurationError as error:
            self.found.append(ConstructionError(component, str(error)))
            return False
        return True

    def check(self, options: Options) -> Options:
        """
        Records all errors.

        # Returns

        `Dict[str, Any]`
            The options without what is wrong in them.
        """
        correct = {**options}
        if not self._names:
            self.attempt(None, make_module_dict, {})
        for name, head in self._heads.items():
            self.attempt(name, add_module, torch.nn.ModuleDict(), name, head)
        for parameter in _BY_COMPONENT:
            if options.get(parameter):
                correct[parameter] = self._known_components(parameter, options[parameter])
        if options.get("task_heads"):
            correct["task_heads"] = self._task_heads(options["task_heads"]) or None
        components = {BACKBONE: self._backbone, **self._heads}
        for name, module in components.items():
            if module is not None:
                self._check_component(name, module, correct)
        return correct

    def _known_components(self, parameter: str, given: Any) -> Any:
        known = [BACKBONE, *self._names]
        correct = [k for k in given if self.attempt(None, _check_key, parameter, k, known)]
        return {k: given[k] for k in correct} if isinstance(given, Mapping) else correct

    def _task_heads(self, given: Mapping[str, Any]) -> Dict[str, List[str]]:
        correct: Dict[str, List[str]] = {}
        for task, heads in given.items():
            if isinstance(heads, list) and heads:
                known = [h for h in heads if self.attempt(None, self._serve, task, [h])]
                if known and self.attempt(None, self._serve, task, known):
                    correct[task] = known
            else:
                self.attempt(None, self._serve, task, heads)
        return correct

    def _serve(self, task: str, heads: Any) -> None:
        TaskHeads(self._names, {task: heads})

    def _check_component(self, name: str, module: torch.nn.Module, options: Options) -> None:
        """Removes what is wrong for one component from `options`, which hold copies."""
        mapping = (options.get("arg_name_mapping") or {}).get(name)
        if mapping:
            pairs = mapping.items()
            correct = {
                source: argument
                for source, argument in pairs
                if self.attempt(name, Router, name, module, {source: argument})
            }
            options["arg_name_mapping"] = {**options["arg_name_mapping"], name: correct}
        allowed = (options.get("allowed_arguments") or {}).get(name)
        if allowed is not None:
            known = {a for a in allowed if self.attempt(name, Router, name, module, None, [a])}
            options["allowed_arguments"] = {**options["allowed_arguments"], name: known}
        if name != BACKBONE and self._backbone is not None:
            router = Router(name, module, (options.get("arg_name_mapping") or {}).get(name))
            self.attempt(name, check_head, name, module, router, self._backbone)


def _check_key(parameter: str, key: str, known: List[str]) -> None:
    check_components(known, **{parameter: [key]})
