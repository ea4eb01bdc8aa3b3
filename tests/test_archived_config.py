"""The config of an archive: what is given for its parts, and that it is complete."""

import json
from pathlib import Path
from typing import Any, Dict

import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.models import Model, load_archive

from multitask_model import LabeledJsonlReader, MultiTaskDatasetReader, MultiTaskModel, save_archive
from tests.helpers.annotators import make_config, make_model, make_reader
from tests.helpers.messages import exactly

INVALID: Dict[str, Any] = {
    "config must be a dictionary with what a config file would have, but got 'config.json'. Write "
    "{'model': ..., 'dataset_reader': ...}.": "config.json",
    "config must have one of the keys ['model', 'dataset_reader', 'predictor', 'vocabulary'], as a "
    "config file has, but got ['modle']. Did you mean 'model'? Write {'model': {'heads': ...}} for "
    "a head.": {"modle": {}},
    "config must have a dictionary under 'model', but got 'multitask'. Write {'model': {...}}.": {
        "model": "multitask"
    },
    "The config of an archive must be JSON, but got a value of type 'object'. Write what a config "
    "file would have in its place.": {"model": {"heads": {"ner": object()}}},
}


@pytest.mark.parametrize("message", INVALID, ids=["string", "typo", "part", "value"])
def test_an_invalid_config_is_an_error(tmp_path: Path, message: str) -> None:
    config = make_config(tmp_path)
    reader = make_reader(config)
    model = make_model(config, reader)
    with pytest.raises(ConfigurationError, match=exactly(message)):
        save_archive(model, reader, tmp_path / "model.tar.gz", config=INVALID[message])
    assert not (tmp_path / "model.tar.gz").exists()


def test_parts_may_be_params(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    reader = make_reader(config)
    model = make_model(config, reader)
    given = {"model": Params(json.loads(json.dumps(config["model"])))}
    save_archive(model, reader, tmp_path / "model.tar.gz", config=given)
    saved = load_archive(tmp_path / "model.tar.gz").config["model"]
    assert saved.as_dict(quiet=True) == config["model"]


def test_a_given_model_without_a_backbone_is_an_error(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    reader = make_reader(config)
    model = make_model(config, reader)
    model.recorded_config = None
    message = (
        "save_archive requires the key 'backbone' in the config of the model, but got only "
        "['type', 'heads', 'task_heads', 'arg_name_mapping']. Give it: save_archive(model, reader, "
        "path, config={'model': {'backbone': ...}})."
    )
    given = {"model": {"heads": config["model"]["heads"]}}
    with pytest.raises(ConfigurationError, match=exactly(message)):
        save_archive(model, reader, tmp_path / "model.tar.gz", config=given)


def test_a_given_reader_without_readers_is_an_error(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    model = make_model(config, make_reader(config))
    reader = MultiTaskDatasetReader({"news": LabeledJsonlReader({})})
    message = (
        "save_archive requires the key 'readers' in the config of the dataset_reader, but got only "
        "['type']. Give it: save_archive(model, reader, path, config={'dataset_reader': "
        "{'readers': ...}})."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        save_archive(model, reader, tmp_path / "model.tar.gz", config={"dataset_reader": {}})


@Model.register("multitask-of-a-test")
class Registered(MultiTaskModel):
    """A subclass with a name."""


class Unregistered(MultiTaskModel):
    """A subclass without one."""


@pytest.mark.parametrize("name", ["multitask-of-a-test", "tests.test_archived_config.Unregistered"])
def test_a_subclass_is_loaded_as_its_class(tmp_path: Path, name: str) -> None:
    config = make_config(tmp_path)
    config["model"]["type"] = name
    reader = make_reader(config)
    model = make_model(config, reader)
    save_archive(model, reader, tmp_path / "model.tar.gz")
    archive = load_archive(tmp_path / "model.tar.gz")
    assert type(archive.model) is type(model)
    assert archive.config["model"]["type"] == name
