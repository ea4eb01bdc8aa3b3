"""Saving a model as an archive from a script."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Union

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.common.meta import META_NAME, Meta
from allennlp.data import DatasetReader, Vocabulary
from allennlp.models import Model, archive_model
from allennlp.models.archival import CONFIG_NAME

from multitask_model.compat.allennlp_internals import reserved_tokens
from multitask_model.errors import format_names
from multitask_model.model import MultiTaskModel
from multitask_model.recorded_config import RecordsConfig
from multitask_model.routing.output_names import BACKBONE

WEIGHTS = "weights.th"
MODEL, READER, PREDICTOR = "model", "dataset_reader", "predictor"


def save_archive(
    model: Model,
    reader: DatasetReader,
    path: Union[str, "os.PathLike[str]"],
    config: Optional[Mapping[str, Any]] = None,
) -> str:
    """
    Writes an archive, such as `model.tar.gz`, that `allennlp predict`, `allennlp evaluate`,
    `load_archive` and `Predictor.from_path` take.

    An archive has the config of the model and the reader. Both keep theirs if they were built from
    one: by the `allennlp` command, `load_archive` or `Predictor.from_path`, or from `Params`.
    Objects built by a constructor do not; give their part of the config in `config`. The same holds
    for heads that were added to the model.

    # Parameters

    model : `Model`
        A `MultiTaskModel`.
    reader : `DatasetReader`
    path : `Union[str, PathLike]`
        The file. Its folder is created.
    config : `Mapping[str, Any]`, optional (default = `None`)
        What a config file would have under `model` and `dataset_reader`. It replaces what the
        objects keep, key by key.

    # Returns

    `str`
        The path of the archive.

    # Raises

    `ConfigurationError`
        If the model is of another class, the config of the model, of a head or of the reader is not
        known, or the heads of the config are not those of the model.

    # Examples

        >>> from allennlp.common import Params
        >>> from allennlp.models import load_archive
        >>> from tempfile import TemporaryDirectory
        >>> embedder = {"token_embedders": {"tokens": {"type": "embedding", "embedding_dim": 2}}}
        >>> head = {"type": "regression", "seq2vec_encoder": {"type": "boe", "embedding_dim": 2}}
        >>> backbone = {"type": "text", "text_field_embedder": embedder}
        >>> params = Params({"type": "multitask", "backbone": backbone, "heads": {"stars": head}})
        >>> model = Model.from_params(params, vocab=Vocabulary())
        >>> params = Params({"type": "multitask", "readers": {"stars": {"type": "labeled_jsonl",
        ...                  "labels": {"stars": "number"}}}})
        >>> reader = DatasetReader.from_params(params)
        >>> with TemporaryDirectory() as folder:
        ...     path = save_archive(model, reader, f"{folder}/model.tar.gz")
        ...     list(load_archive(path).model.heads)
        ['stars']
    """
    path = Path(path)
    if not isinstance(model, MultiTaskModel):
        raise ConfigurationError(
            f"save_archive requires a MultiTaskModel, but got a {type(model).__name__}. Archive "
            "other models by archive_model of allennlp.models, from the folder of their training."
        )
    described = _describe(model, reader, config or {})
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        (directory / CONFIG_NAME).write_text(json.dumps(described, indent=2), encoding="utf-8")
        torch.save(model.state_dict(), directory / WEIGHTS)
        model.vocab.save_to_files(str(directory / "vocabulary"))
        Meta.new().to_file(directory / META_NAME)
        return archive_model(directory, weights=WEIGHTS, archive_path=path)


def _describe(
    model: MultiTaskModel, reader: DatasetReader, config: Mapping[str, Any]
) -> Dict[str, Any]:
    described: Dict[str, Any] = {
        **config,
        READER: {**_recorded(READER, reader, config), **config.get(READER, {})},
        MODEL: _describe_model(model, config),
    }
    tokens = _changed_reserved_tokens(model.vocab)
    if tokens:
        described.setdefault("vocabulary", tokens)
    if model.predictor_config:
        described.setdefault(PREDICTOR, model.predictor_config)
    return described


def _recorded(part: str, of: object, config: Mapping[str, Any]) -> Dict[str, Any]:
    """The config that an object keeps."""
    recorded = of.recorded_config if isinstance(of, RecordsConfig) else None
    if recorded is None and part not in config:
        raise ConfigurationError(
            f"save_archive requires the config of each object, but got a {type(of).__name__} that "
            f"was built by its constructor, which keeps none. Build it from a config, or give its "
            f"part of one: save_archive(model, reader, path, config={{{part!r}: ...}})."
        )
    return {"type": "multitask", **(recorded or {})}


def _describe_model(model: MultiTaskModel, config: Mapping[str, Any]) -> Dict[str, Any]:
    recorded, given = _recorded(MODEL, model, config), config.get(MODEL, {})
    described = {**recorded, **given}
    heads = {**recorded.get("heads", {}), **given.get("heads", {})}
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
