"""Loading what is described: the reader, the data paths and, from an archive, the model."""

import os
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Vocabulary
from allennlp.models.archival import load_archive

from multitask_model.commands.description.building import Built, build_model, check_type
from multitask_model.commands.description.reading import Sample
from multitask_model.commands.description.unread_labels import add_unread_labels
from multitask_model.data.dataset_readers import MultiTaskDatasetReader
from multitask_model.model import MultiTaskModel


@dataclass
class Experiment:
    """A config or an archive."""

    kind: str
    config: Params
    reader: DatasetReader
    model: Optional[MultiTaskModel]
    """The model of an archive."""
    unread_namespaces: List[str] = field(default_factory=list)
    """The namespaces of heads whose labels could not be read, once the model is built."""

    @property
    def readers(self) -> Dict[str, DatasetReader]:
        """The reader of each task. A reader of another type than `multitask` has no task."""
        readers = getattr(self.reader, "readers", None)
        return dict(readers) if isinstance(readers, Mapping) else {"": self.reader}

    @property
    def data_paths(self) -> Dict[str, Any]:
        """What the reader of each task reads for training, as far as the config says."""
        paths = self.config.as_dict(quiet=True).get("train_data_path")
        if isinstance(self.reader, MultiTaskDatasetReader):
            return dict(paths) if isinstance(paths, Mapping) else {}
        return {} if paths is None else {"": paths}

    @property
    def loader(self) -> Params:
        """The data loader of the config."""
        loader: Params = self.config.duplicate().pop("data_loader", {})
        return loader

    def build(self, samples: Mapping[str, Sample]) -> Built:
        """Returns the model of the archive, or one with a vocabulary of these instances."""
        if self.model is not None:
            return self.model, []
        config = self.config.duplicate()
        instances = (i for sample in samples.values() for i in sample.instances)
        vocab = Vocabulary.from_params(config.pop("vocabulary", {}), instances=instances)
        model = config.pop("model")
        if not samples or any(sample.error is not None for sample in samples.values()):
            heads = model.as_dict(quiet=True).get("heads", {})
            self.unread_namespaces = add_unread_labels(vocab, heads)
        return build_model(model, vocab)


def load_experiment(path: str, overrides: str = "") -> Experiment:
    """
    Loads a config, an archive or a serialization directory.

    # Raises

    `ConfigurationError`
        If the path does not exist, or the model is of another type than `multitask`.
    """
    if not os.path.exists(path):
        raise ConfigurationError(
            f"describe requires a config file or an archive, but {path!r} does not exist. Correct "
            "the path."
        )
    if os.path.isdir(path) or tarfile.is_tarfile(path):
        archive = load_archive(path, overrides=overrides)
        return Experiment(
            "archive", archive.config, archive.dataset_reader, check_type(archive.model)
        )
    config = Params.from_file(path, overrides)
    missing = [key for key in ("dataset_reader", "model") if key not in config.params]
    if missing:
        raise ConfigurationError(
            f"A config must have a dataset_reader and a model, but {Path(path).name!r} has no "
            f"{' and no '.join(missing)}. Describe the config of a training."
        )
    reader = DatasetReader.from_params(config.duplicate().pop("dataset_reader"))
    return Experiment("config", config, reader, None)
