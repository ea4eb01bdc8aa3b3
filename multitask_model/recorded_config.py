"""Classes whose objects know the config that they were built from."""

from typing import Any, Dict, Optional, Type, TypeVar

from allennlp.common import Params

_Class = TypeVar("_Class", bound="RecordsConfig")


class RecordsConfig:
    """
    A base class that keeps the config of objects built by `from_params`, which the `allennlp`
    command, `load_archive` and `Predictor.from_path` use. It stands before a `FromParams` in the
    list of base classes, and is none itself: AllenNLP would look in it for the parameters that
    `**kwargs` stands for, such as the `regularizer` of a `Model`.

        >>> from allennlp.common import FromParams
        >>> class Point(RecordsConfig, FromParams):
        ...     def __init__(self, x: int, y: int = 0) -> None: ...
        >>> Point.from_params(Params({"x": 3})).recorded_config
        {'x': 3}
        >>> print(Point(3).recorded_config)
        None
    """

    recorded_config: Optional[Dict[str, Any]] = None
    """The parameters without `type`, or `None` if the object was built by its constructor."""

    @classmethod
    def from_params(cls: Type[_Class], params: Params, *args: Any, **extras: Any) -> _Class:
        """Builds an object from a config and keeps it in `recorded_config`."""
        config = params.duplicate().as_dict(quiet=True) if isinstance(params, Params) else None
        built: _Class = super().from_params(params, *args, **extras)  # type: ignore[misc]
        if isinstance(built, RecordsConfig):
            built.recorded_config = config
        return built
