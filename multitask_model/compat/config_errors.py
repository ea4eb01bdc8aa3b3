"""What AllenNLP's errors for mistakes in a config do not say: the closest name that is known."""

import collections.abc
import logging
import re
from typing import Any, Callable, Collection, Dict, List, Tuple

from allennlp.common import Params, from_params
from allennlp.common.checks import ConfigurationError
from allennlp.training import GradientDescentTrainer

from multitask_model.compat.patching import patch
from multitask_model.errors import suggest, suggest_rename

logger = logging.getLogger(__name__)


def suggest_types_in_configs() -> None:
    """Adds the closest type to the error for an unknown one."""

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
        given = dict(params.params)
        value = given.get(key)
        try:
            return original(params, key, choices, *args, **kwargs)
        except ConfigurationError as error:
            known = [choice for choice in choices if isinstance(choice, str)]
            guess = suggest(value, known) if isinstance(value, str) else ""
            advice = guess if key in given else _renamed(error, params, [key])
            if not advice:
                raise
            raise ConfigurationError(f"{error}{advice}") from error


def suggest_parameters_in_configs() -> None:
    """
    Adds the closest parameter to the error for an unknown or a missing one, and logs a warning for
    options that AllenNLP's trainer accepts and ignores.
    """

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
            known = from_params.infer_params(cls, constructor).keys() - {"self", *extras}
            if str(error) == f"Extra parameters passed to {cls.__name__}: {params.params}":
                advice = f".{suggest(next(iter(params.params)), known)}"
            else:
                advice = _renamed(error, params, known)
            if not advice:
                raise
            raise ConfigurationError(f"{error}{advice}") from error
        if cls is GradientDescentTrainer:  # a class of one's own may read what is left
            _report_ignored(params, list(from_params.infer_params(cls, constructor)))
        return kwargs


def _renamed(error: ConfigurationError, params: Params, known: Collection[str]) -> str:
    """For a missing parameter, asks whether an unknown one is meant to be it, if one is close."""
    missing = re.fullmatch(r'key "(\w+)" is required(?: at location ".*")?', str(error))
    if missing is None or missing.group(1) not in known:
        return ""
    unknown = [name for name in params.params if name not in known]
    guess = suggest_rename(missing.group(1), unknown)
    return f".{guess}" if guess else ""


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
            raise ConfigurationError(
                f"{argument_name} must be a list, but got the string {popped_params!r}. Write it "
                "in brackets, [ and ]."
            )
        return original(class_name, argument_name, popped_params, annotation, *args, **extras)


def _is_list(annotation: object) -> bool:
    """Whether AllenNLP makes a list or a set of a value."""
    args: Tuple[Any, ...] = getattr(annotation, "__args__", ())
    lists = (list, set, collections.abc.Iterable)
    is_list = getattr(annotation, "__origin__", None) in lists and len(args) == 1
    return is_list and from_params.can_construct_from_params(args[0])
