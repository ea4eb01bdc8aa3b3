"""Saving a model as an archive from a script."""

import os
import tempfile
from pathlib import Path
from typing import Any, Mapping, Optional, Union

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.common.meta import META_NAME, Meta
from allennlp.data import DatasetReader
from allennlp.models import Model, archive_model
from allennlp.models.archival import CONFIG_NAME
from allennlp.modules.token_embedders import Embedding

from multitask_model.archived_config import describe
from multitask_model.compat.allennlp_internals import vocab_namespace
from multitask_model.model import MultiTaskModel
from multitask_model.modules.label_vocabulary import LabelVocabulary

WEIGHTS = "weights.th"


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
        The file, or an existing folder for `model.tar.gz`. The folder of a file is created. An
        archive that exists is replaced when the new one is complete.
    config : `Mapping[str, Any]`, optional (default = `None`)
        What a config file would have under `model` and `dataset_reader`. It replaces what the
        objects keep, key by key.

    # Returns

    `str`
        The path of the archive.

    # Raises

    `ConfigurationError`
        If the model is of another class, the config of the model, of a head or of the reader is not
        known, the heads of the config are not those of the model, `config` is invalid, or the
        vocabulary has grown since the model was built.

    # Examples

        >>> from allennlp.common import Params
        >>> from allennlp.data import Vocabulary
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
    _check_vocabulary(model)
    described = describe(model, reader, config or {})
    path = path / "model.tar.gz" if path.is_dir() else path
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the folder of the archive, which replaces an earlier one only when it is complete.
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".save_archive-") as folder:
        directory = Path(folder)
        (directory / CONFIG_NAME).write_text(described, encoding="utf-8")
        torch.save(model.state_dict(), directory / WEIGHTS)
        model.vocab.save_to_files(str(directory / "vocabulary"))
        Meta.new().to_file(directory / META_NAME)
        archive = archive_model(directory, weights=WEIGHTS, archive_path=directory / "archive")
        os.replace(archive, os.path.realpath(path))
    return str(path)


def _check_vocabulary(model: MultiTaskModel) -> None:
    for name, module in model.named_modules():
        if isinstance(module, Embedding):
            namespace, size = vocab_namespace(module), module.num_embeddings
        elif isinstance(module, LabelVocabulary):
            namespace, size = module.namespace, len(module)
        else:
            continue
        # The vocabulary creates a missing namespace when it is asked for its size.
        if namespace is None or namespace not in model.vocab.get_namespaces():
            continue
        required = model.vocab.get_vocab_size(namespace)
        if size < required:
            raise ConfigurationError(
                f"An archive requires a model that fits its vocabulary, but got {size} entries in "
                f"{name!r} and {required} in the namespace {namespace!r}. After words were added, "
                "call model.extend_embedder_vocab(); after labels were added, build the head again."
            )
