"""What AllenNLP's errors for mistakes in a config do not say: the closest name that is known."""

import collections.abc
import logging
from typing import Any, Callable, Dict, List

from allennlp.common import Params, from_params
from allennlp.common.checks import ConfigurationError
from allennlp.training import GradientDescentTrainer

from multitask_model.compat.patching import patch
from multitask_model.errors import suggest

logger = logging.getLogger(__name__)


def suggest_names_in_configs() -> None:
    """
    Adds the closest type and the closest parameter to the errors for unknown ones, and logs a
    warning for options that AllenNLP's trainer accepts and ignores.
    """

    @patch(Params, "pop_choice")
    def _(
        original: Callable[..., object],
        params: Params,
        /,
        key: str,
        choices: List[object],
        *args: object,
        **kwargs: object,
    ) -> object:
        value = params.get(key, None)
        try:
            return original(params, key, choices, *args, **kwargs)
        except ConfigurationError as error:
            known = [choice for choice in choices if isinstance(choice, str)]
            guess = suggest(value, known) if isinstance(value, str) else ""
            raise ConfigurationError(f"{error}{guess}") from error

    @patch(from_params, "create_kwargs")
    def _(
        original: Callable[..., Dict[str, Any]],
        constructor: Any,
        cls: Any,
        params: Params,
        /,
        **extras: object,
    ) -> Dict[str, Any]:
        try:
            kwargs = original(constructor, cls, params, **extras)
        except ConfigurationError as error:
            # Not an error of one of the arguments, which is raised before what is left is checked.
            if str(error) != f"Extra parameters passed to {cls.__name__}: {params.params}":
                raise
            known = from_params.infer_params(cls, constructor).keys() - {"self", *extras}
            unknown = next(iter(params.params))
            raise ConfigurationError(f"{error}.{suggest(unknown, known)}") from error
        if cls is GradientDescentTrainer:  # a class of one's own may read what is left
            _report_ignored(params, list(from_params.infer_params(cls, constructor)))
        return kwargs


def _report_ignored(left: Params, known: List[str]) -> None:
    # Not an error, because a config of AllenNLP may have such an option.
    for name in left.params:
        logger.warning("The trainer has no option %r and ignores it.%s", name, suggest(name, known))


def refuse_strings_for_lists() -> None:
    """
    Refuses `"text"` for `["text"]` in a config. AllenNLP makes a list of the characters of it,
    whose error names the first of them, if there is one at all.
    """

    @patch(from_params, "construct_arg")
    def _(
        original: Callable[..., object],
        class_name: str,
        argument_name: str,
        popped_params: object,
        annotation: object,
        /,
        *args: object,
        **extras: object,
    ) -> object:
        if isinstance(popped_params, str) and _is_list(annotation):
            value = f'["{popped_params}"]' if popped_params else "[]"
            raise ConfigurationError(
                f"{argument_name} must be a list, but got the string {popped_params!r}. Write "
                f"{value}."
            )
        return original(class_name, argument_name, popped_params, annotation, *args, **extras)


def _is_list(annotation: object) -> bool:
    lists = (list, set, collections.abc.Iterable)
    return getattr(annotation, "__origin__", None) in lists and bool(
        getattr(annotation, "__args__", ())
    )
