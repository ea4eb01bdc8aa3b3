"""The config that an archive has: what its objects keep, and what is given for the others."""

import json
from typing import Any, Dict, Mapping, Type

from allennlp.common import Params, Registrable
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Vocabulary
from allennlp.models import Model

from multitask_model.compat.allennlp_internals import reserved_tokens
from multitask_model.data.dataset_readers.multitask import MultiTaskDatasetReader
from multitask_model.errors import format_names, format_value, suggest
from multitask_model.model import MultiTaskModel
from multitask_model.recorded_config import RecordsConfig
from multitask_model.routing.output_names import BACKBONE

MODEL, READER, PREDICTOR, VOCABULARY = "model", "dataset_reader", "predictor", "vocabulary"
PARTS = (MODEL, READER, PREDICTOR, VOCABULARY)


def describe(model: MultiTaskModel, reader: DatasetReader, config: Mapping[str, Any]) -> str:
    """
    Returns the config of an archive as JSON. The parameters are those of `save_archive`.

    # Raises

    `ConfigurationError`
        If a part of it is not known, or `config` is invalid.
    """
    _check_parts(config)
    described: Dict[str, Any] = {
        **config,
        READER: _part(READER, reader, config),
        MODEL: _describe_model(model, config),
    }
    if type(reader) is MultiTaskDatasetReader:
        _require(READER, "readers", described)
    if type(model) is MultiTaskModel:
        _require(MODEL, BACKBONE, described)
    tokens = _changed_reserved_tokens(model.vocab)
    if tokens:
        described.setdefault(VOCABULARY, tokens)
    if model.predictor_config:
        described.setdefault(PREDICTOR, model.predictor_config)
    return json.dumps(described, indent=2, default=_to_json)


def _check_parts(config: object) -> None:
    if not isinstance(config, Mapping):
        raise ConfigurationError(
            "config must be a dictionary with what a config file would have, but got "
            f"{format_value(config)}. Write {{{MODEL!r}: ..., {READER!r}: ...}}."
        )
    if config and not any(part in config for part in PARTS):
        raise ConfigurationError(
            f"config must have one of the keys {format_names(PARTS)}, as a config file has, but "
            f"got {format_names(config)}.{suggest(next(iter(config)), PARTS)} Write "
            f"{{{MODEL!r}: {{'heads': ...}}}} for a head."
        )
    for part in (MODEL, READER):
        if not isinstance(config.get(part, {}), Mapping):
            raise ConfigurationError(
                f"config must have a dictionary under {part!r}, but got "
                f"{format_value(config[part])}. Write {{{part!r}: {{...}}}}."
            )


def _to_json(value: object) -> object:
    if isinstance(value, Params):
        return value.as_dict(quiet=True)
    raise ConfigurationError(
        f"The config of an archive must be JSON, but got a value of type {type(value).__name__!r}. "
        "Write what a config file would have in its place."
    )


def _part(part: str, of: object, config: Mapping[str, Any]) -> Dict[str, Any]:
    """The config that an object keeps, with what is given."""
    recorded = of.recorded_config if isinstance(of, RecordsConfig) else None
    if recorded is None and part not in config:
        raise ConfigurationError(
            f"save_archive requires the config of each object, but got a {type(of).__name__} that "
            f"was built by its constructor, which keeps none. Build it from a config, or give its "
            f"part of one: save_archive(model, reader, path, config={{{part!r}: ...}})."
        )
    base: Type[Registrable] = Model if part == MODEL else DatasetReader
    return {"type": _type_name(base, type(of)), **(recorded or {}), **config.get(part, {})}


def _type_name(base: Type[Registrable], class_: type) -> str:
    """The name that a class is registered under, or else its full name, which AllenNLP imports."""
    for name in base.list_available():
        if base.resolve_class_name(name) == (class_, None):
            return name
    return f"{class_.__module__}.{class_.__qualname__}"


def _require(part: str, key: str, described: Mapping[str, Any]) -> None:
    if key not in described[part]:
        raise ConfigurationError(
            f"save_archive requires the key {key!r} in the config of the {part}, but got only "
            f"{format_names(described[part])}. Give it: save_archive(model, reader, path, "
            f"config={{{part!r}: {{{key!r}: ...}}}})."
        )


def _describe_model(model: MultiTaskModel, config: Mapping[str, Any]) -> Dict[str, Any]:
    described = _part(MODEL, model, config)
    recorded = (model.recorded_config or {}).get("heads", {})
    heads = {**recorded, **config.get(MODEL, {}).get("heads", {})}
    _check_heads(model, heads)
    described["heads"] = {name: heads[name] for name in model.tasks.heads}
    # Those of heads that were added are known by the model only.
    task_heads = {task: model.tasks.heads_of(task) for task in model.tasks.names}
    # AllenNLP's own class, which may load the archive too, does not have this parameter.
    if "task_heads" in described or task_heads != {name: [name] for name in heads}:
        described["task_heads"] = task_heads
    mappings = {c: dict(model.router(c).name_mapping) for c in (BACKBONE, *model.tasks.heads)}
    described["arg_name_mapping"] = {name: value for name, value in mappings.items() if value}
    # The weights are in the archive.
    described.pop("pretrained_file", None)
    return described


def _check_heads(model: MultiTaskModel, heads: Mapping[str, Any]) -> None:
    unknown = [name for name in model.tasks.heads if name not in heads]
    if unknown:
        example = f"config={{'model': {{'heads': {{{unknown[0]!r}: ...}}}}}}"
        raise ConfigurationError(
            f"save_archive requires the config of each head, but got none for "
            f"{format_names(unknown)}. Give it: save_archive(model, reader, path, {example})."
        )
    absent = [name for name in heads if name not in model.tasks.heads]
    if absent:
        raise ConfigurationError(
            f"The heads of the config must be those of the model, {format_names(model.tasks.heads)}"
            f", but got {format_names(absent)} too. Remove them from the config."
        )


def _changed_reserved_tokens(vocab: Vocabulary) -> Dict[str, str]:
    padding, oov = reserved_tokens(vocab)
    if (padding, oov) == reserved_tokens(Vocabulary()):
        return {}
    return {"padding_token": padding, "oov_token": oov}
