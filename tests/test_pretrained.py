"""A new task for a trained model: from a config, and by loading an archive with other heads."""

from pathlib import Path
from typing import Any, Dict

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.models import Model, load_archive

from multitask_model import MultiTaskDatasetReader, MultiTaskModel
from tests.helpers.messages import exactly
from tests.helpers.training_config import HEAD, LinesReader, make_config, train

pytestmark = pytest.mark.slow

MISSING = "The weights have no heads ['irony'], which are initialized as in a new model."
IGNORED = "The model has no heads ['genre', 'mood'], whose weights are ignored."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder with a model that was trained with all heads, in `first`."""
    folder = tmp_path_factory.mktemp("pretrained")
    train(make_config(folder), folder, "first")
    return folder


def archive_of(folder: Path, name: str = "first") -> str:
    return str(folder / name / "model.tar.gz")


def second_config(folder: Path, heads: Dict[str, str]) -> Dict[str, Any]:
    """Returns a config for a new model of these heads, each trained on the labels of an old one."""
    archive = archive_of(folder)
    params = make_config(folder, pretrained_file=archive)
    params["model"]["heads"] = {name: dict(HEAD) for name in heads}
    params["model"]["task_heads"] = {"tweets": list(heads)}
    params["model"]["arg_name_mapping"] = {n: {field: "label"} for n, field in heads.items()}
    for key in ("train_data_path", "validation_data_path"):
        params[key] = {"tweets": params[key]["tweets"]}
    params["dataset_reader"]["readers"].pop("ewt")
    params["vocabulary"] = {"type": "extend", "directory": archive}
    params["trainer"]["optimizer"]["lr"] = 0.0
    return params


def test_a_new_head_is_trained_on_a_trained_backbone(folder: Path) -> None:
    first: Any = load_archive(archive_of(folder)).model
    params = second_config(folder, {"polarity": "polarity", "irony": "polarity"})
    second: Any = train(params, folder, "second")
    old, new = first.state_dict(), second.state_dict()
    assert {name.split(".")[1] for name in new if name.startswith("_heads")} == {
        "polarity",
        "irony",
    }
    for name in new:
        if "irony" not in name:
            assert torch.equal(new[name], old[name]), name
    assert not torch.equal(new["_heads.irony.linear.weight"], new["_heads.polarity.linear.weight"])
    log = (folder / "second" / "out.log").read_text()
    assert MISSING in log
    assert IGNORED in log


def test_the_new_model_does_not_need_the_old_archive(folder: Path) -> None:
    params = second_config(folder, {"irony": "polarity"})
    trained = train(params, folder, "third")
    loaded = load_archive(archive_of(folder, "third"), overrides="").model
    assert torch.equal(
        trained.state_dict()["_heads.irony.linear.weight"],
        loaded.state_dict()["_heads.irony.linear.weight"],
    )


def test_an_archive_may_be_loaded_with_more_heads(folder: Path, caplog: Any) -> None:
    first = load_archive(archive_of(folder)).model.state_dict()
    params = make_config(folder)
    params["model"]["heads"]["irony"] = dict(HEAD)
    params["model"]["task_heads"]["tweets"].append("irony")
    model = Model.load(Params(params), str(folder / "first"))
    found = model.state_dict()
    assert found.keys() - first.keys() == {"_heads.irony.linear.weight", "_heads.irony.linear.bias"}
    assert all(torch.equal(found[name], first[name]) for name in first)
    assert MISSING in caplog.messages


def test_an_archive_may_be_loaded_with_fewer_heads(folder: Path, caplog: Any) -> None:
    params = make_config(folder, task_heads={"tweets": ["polarity"]}, arg_name_mapping={})
    del params["model"]["heads"]["genre"], params["model"]["heads"]["mood"]
    model: Any = Model.load(Params(params), str(folder / "first"))
    assert list(model.heads) == ["polarity"]
    assert IGNORED in caplog.messages


def test_an_archive_with_none_of_the_heads_of_the_model_is_an_error(folder: Path) -> None:
    params = make_config(folder, task_heads={}, arg_name_mapping={})
    params["model"]["heads"] = {"polarities": dict(HEAD), "moods": dict(HEAD)}
    message = (
        "The weights must be for at least one of the model's heads ['polarities', 'moods'], but "
        "got weights of the heads ['genre', 'mood', 'polarity']. Name the heads in the config as "
        "in the archive, or set pretrained_file to initialize only the backbone."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        Model.load(Params(params), str(folder / "first"))


def test_a_head_with_another_parameter_than_in_the_archive_is_an_error(folder: Path) -> None:
    params = make_config(folder)
    params["model"]["heads"]["mood"]["extra"] = True
    with pytest.raises(RuntimeError, match=r"Missing keys: \['_heads.mood.extra'\]"):
        Model.load(Params(params), str(folder / "first"))


def test_load_state_dict_is_strict(folder: Path) -> None:
    model: Any = load_archive(archive_of(folder)).model
    state = {n: v for n, v in model.state_dict().items() if not n.startswith("_heads.mood")}
    with pytest.raises(RuntimeError, match="_heads.mood.linear.weight"):
        model.load_state_dict(state)


def test_another_vocabulary_is_an_error(folder: Path) -> None:
    params = second_config(folder, {"polarity": "polarity"})
    del params["vocabulary"]
    archive = archive_of(folder)
    message = (
        f"The vocabulary must begin with the entries of {archive}, in the same order, but the "
        "namespace 'labels' got ['class0', 'class1', 'class2'] where the archive has ['class1', "
        '\'class0\', \'class2\']. Set "vocabulary" in the config to {"type": "extend", '
        f'"directory": {archive!r}}}.'
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        train(params, folder, "fourth")


SHAPE = (
    "_heads.polarity.linear.weight must have the shape that it has in the archive, plus a row for "
    "each new entry of the vocabulary, but got {} for [3, 6]. Configure this module as it was, or "
    "rename the head."
)


def test_another_shape_is_an_error(folder: Path) -> None:
    params = second_config(folder, {"polarity": "polarity"})
    params["model"]["heads"]["polarity"]["classes"] = 2
    with pytest.raises(ConfigurationError, match=exactly(SHAPE.format([2, 6]))):
        train(params, folder, "fifth")


def test_a_weight_that_the_archive_lacks_is_an_error(folder: Path) -> None:
    params = second_config(folder, {"polarity": "polarity"})
    params["model"]["heads"]["polarity"]["extra"] = True
    message = (
        "The backbone, and the heads that both have, must have the weights of "
        f"{archive_of(folder)}, but got ['_heads.polarity.extra'] in only one of the two. "
        "Configure these modules as they were, or rename a head that differs."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        train(params, folder, "sixth")


def test_rows_of_old_entries_are_copied(folder: Path) -> None:
    first: Any = load_archive(archive_of(folder)).model
    params = make_config(folder, pretrained_file=archive_of(folder))
    params["model"]["heads"]["polarity"]["classes"] = 5
    for label in ("class3", "class4"):
        first.vocab.add_token_to_namespace(label, "labels")
    model: Any = Model.from_params(Params(params["model"]), vocab=first.vocab)
    weight = model.head("polarity").linear.weight
    assert isinstance(model, MultiTaskModel)
    assert weight.shape[0] == 5
    assert torch.equal(weight[:3], first.head("polarity").linear.weight)


def test_more_new_rows_than_new_entries_are_an_error(folder: Path) -> None:
    first: Any = load_archive(archive_of(folder)).model
    params = make_config(folder, pretrained_file=archive_of(folder))
    params["model"]["heads"]["polarity"]["classes"] = 5
    with pytest.raises(ConfigurationError, match=exactly(SHAPE.format([5, 6]))):
        Model.from_params(Params(params["model"]), vocab=first.vocab)


@pytest.mark.skipif(not hasattr(torch, "set_default_device"), reason="came with torch 2")
def test_weights_on_the_meta_device_cannot_be_loaded(folder: Path) -> None:
    first: Any = load_archive(archive_of(folder)).model
    params = make_config(folder, pretrained_file=archive_of(folder))
    del params["model"]["heads"]["mood"], params["model"]["heads"]["genre"]
    params["model"]["task_heads"] = {"tweets": ["polarity"]}
    params["model"]["arg_name_mapping"] = {}
    names = [n for n in first.state_dict() if "mood" not in n and "genre" not in n]
    message = (
        f"pretrained_file requires weights that can hold values, but got {names!r} on the device "
        "'meta'. Build the model on another device."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)), torch.device("meta"):
        Model.from_params(Params(params["model"]), vocab=first.vocab)


def test_the_readers_of_a_loaded_archive_read_for_a_new_reader(folder: Path) -> None:
    archive: Any = load_archive(archive_of(folder))
    new = LinesReader()
    reader = MultiTaskDatasetReader({**archive.validation_dataset_reader.readers, "irony": new})
    for task, file in {"tweets": "tweets", "ewt": "ewt", "irony": "tweets"}.items():
        instances: Any = list(reader.read(str(folder / f"{file}.jsonl"), force_task=task))
        assert {instance["task"].metadata for instance in instances} == {task}
