"""Building the model that a config describes, and finding out all that is wrong with it."""

from typing import Any, Dict, List, Optional, Tuple, Type

from allennlp.common import FromParams, Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.models.heads import Head
from allennlp.models.model import Model
from allennlp.modules import Backbone

from multitask_model.commands.description.data import WiringError
from multitask_model.model import MultiTaskModel
from multitask_model.routing.construction_errors import (
    ConstructionError,
    ConstructionErrors,
    Options,
)
from multitask_model.routing.output_names import BACKBONE

Built = Tuple[Optional[MultiTaskModel], List[WiringError]]


def build_model(params: Params, vocab: Vocabulary) -> Built:
    """
    Builds the model of a config.

    # Returns

    `Tuple[Optional[MultiTaskModel], List[WiringError]]`
        The model and no errors; or all errors and, if it can be built without what is wrong in its
        parameters, the model without that.

    # Raises

    `ConfigurationError`
        If it is another model than a `MultiTaskModel`.
    """
    try:
        model = Model.from_params(params.duplicate(), vocab=vocab)
    except ConfigurationError as error:
        diagnosis = _Diagnosis(params.duplicate(), vocab)
        partial = diagnosis.build()
        found = diagnosis.errors or [ConstructionError(None, str(error))]
        return partial, [WiringError(message, component) for component, message in found]
    return check_type(model), []


def check_type(model: Model) -> MultiTaskModel:
    """
    # Raises

    `ConfigurationError`
        If it is another model than a `MultiTaskModel`.
    """
    if not isinstance(model, MultiTaskModel):
        raise ConfigurationError(
            "describe requires a model of type 'multitask', but got a "
            f"{type(model).__name__}. Set the type of the model to 'multitask'."
        )
    return model


class _Diagnosis:
    """Builds the parts of a model that cannot be built as a whole."""

    def __init__(self, params: Params, vocab: Vocabulary) -> None:
        self._options: Options = params.as_dict(quiet=True)
        self._vocab = vocab
        self.errors: List[ConstructionError] = []

    def build(self) -> Optional[MultiTaskModel]:
        """Records all errors, and returns a model without what is wrong, if there is one."""
        options = {**self._options}
        if options.pop("type", None) != "multitask":
            return None
        backbone = self._part(Backbone, BACKBONE, options.pop("backbone", {}))
        given: Dict[str, Any] = options.pop("heads", {})
        heads = {name: self._part(Head, name, head) for name, head in given.items()}
        built = {name: head for name, head in heads.items() if head is not None}
        checks = ConstructionErrors(backbone, built, list(heads))
        options = checks.check(options)
        self.errors += checks.found
        if backbone is None or len(built) < len(heads):
            return None
        return self._model(backbone, built, options)

    def _model(
        self, backbone: Backbone, heads: Dict[str, Head], options: Options
    ) -> Optional[MultiTaskModel]:
        extras: Dict[str, Any] = {"vocab": self._vocab, "backbone": backbone, "heads": heads}
        try:
            return MultiTaskModel.from_params(Params(options), **extras)
        except ConfigurationError as error:
            if str(error) not in [message for _, message in self.errors]:
                self.errors.append(ConstructionError(None, str(error)))
            return None

    def _part(self, base: Type[FromParams], name: str, params: Any) -> Any:
        try:
            return base.from_params(Params(params), vocab=self._vocab)
        except ConfigurationError as error:
            message = f"{name!r} cannot be built: {error}"
            self.errors.append(ConstructionError(name, message))
            return None
