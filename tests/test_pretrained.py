"""A new task for a trained model: from a config, and by loading an archive with other heads."""

from pathlib import Path
from typing import Any, Dict

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.models import Model, load_archive

from multitask_model import MultiTaskModel
from tests.data.data_loaders import test_multitask_data_loader as configs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a model that was trained on all heads, under `first`."""
    folder = tmp_path_factory.mktemp("pretrained")
    configs.train(configs.config(folder), folder, "first")
    return folder


def archive_of(folder: Path, name: str = "first") -> str:
    return str(folder / name / "model.tar.gz")


def second_config(folder: Path, heads: Dict[str, str]) -> Dict[str, Any]:
    """For heads of new names, each with the label of an old one, on top of the first model."""
    archive = archive_of(folder)
    params = configs.config(folder, pretrained_file=archive)
    head = {"type": f"{configs.HERE}.ClassHead"}
    params["model"]["heads"] = {name: dict(head) for name in heads}
    params["model"]["task_heads"] = {"tweets": list(heads)}
    params["model"]["arg_name_mapping"] = {n: {field: "label"} for n, field in heads.items()}
    for key in ("train_data_path", "validation_data_path"):
        params[key] = {"tweets": params[key]["tweets"]}
    params["dataset_reader"]["readers"].pop("ewt")
    params["vocabulary"] = {"type": "extend", "directory": archive}
    params["trainer"]["optimizer"]["lr"] = 0.0
    return params


def test_a_new_task_on_a_trained_model(folder: Path) -> None:
    first: Any = load_archive(archive_of(folder)).model
    params = second_config(folder, {"polarity": "polarity", "irony": "polarity"})
    second: Any = configs.train(params, folder, "second")
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
    assert "The weights have no heads ['irony']: freshly initialised." in log
    assert "The model has no heads ['genre', 'mood']: their weights are left out." in log


def test_the_new_model_does_not_need_the_old_archive(folder: Path) -> None:
    params = second_config(folder, {"irony": "polarity"})
    trained = configs.train(params, folder, "third")
    loaded = load_archive(archive_of(folder, "third"), overrides="").model
    assert torch.equal(
        trained.state_dict()["_heads.irony.linear.weight"],
        loaded.state_dict()["_heads.irony.linear.weight"],
    )


def test_an_archive_with_more_heads_in_the_config(folder: Path, caplog: Any) -> None:
    first = load_archive(archive_of(folder)).model.state_dict()
    params = configs.config(folder)
    params["model"]["heads"]["irony"] = {"type": f"{configs.HERE}.ClassHead"}
    params["model"]["task_heads"]["tweets"].append("irony")
    model = Model.load(Params(params), str(folder / "first"))
    found = model.state_dict()
    assert found.keys() - first.keys() == {"_heads.irony.linear.weight", "_heads.irony.linear.bias"}
    assert all(torch.equal(found[name], first[name]) for name in first)
    assert "The weights have no heads ['irony']: freshly initialised." in caplog.text


def test_an_archive_with_fewer_heads_in_the_config(folder: Path, caplog: Any) -> None:
    params = configs.config(folder, task_heads={"tweets": ["polarity"]}, arg_name_mapping={})
    del params["model"]["heads"]["genre"], params["model"]["heads"]["mood"]
    model: Any = Model.load(Params(params), str(folder / "first"))
    assert list(model._heads) == ["polarity"]
    assert "The model has no heads ['genre', 'mood']: their weights are left out." in caplog.text


def test_a_head_of_which_the_archive_lacks_a_part(folder: Path) -> None:
    params = configs.config(folder)
    params["model"]["heads"]["mood"]["bias"] = True
    with pytest.raises(RuntimeError, match=r"Missing keys: \['_heads.mood.extra'\]"):
        Model.load(Params(params), str(folder / "first"))


def test_loading_weights_by_hand_stays_strict(folder: Path) -> None:
    model: Any = load_archive(archive_of(folder)).model
    state = {n: v for n, v in model.state_dict().items() if not n.startswith("_heads.mood")}
    with pytest.raises(RuntimeError, match="_heads.mood.linear.weight"):
        model.load_state_dict(state)


def test_another_vocabulary(folder: Path) -> None:
    params = second_config(folder, {"polarity": "polarity"})
    del params["vocabulary"]
    expected = (
        r"The vocabulary must begin with that of .*, but the namespace 'tokens' begins with .* Set "
        r"\"vocabulary\" in the config to \{\"type\": \"extend\", \"directory\": "
    )
    with pytest.raises(ConfigurationError, match=expected):
        configs.train(params, folder, "fourth")


def test_another_shape(folder: Path) -> None:
    params = second_config(folder, {"polarity": "polarity"})
    params["model"]["heads"]["polarity"]["classes"] = 2
    expected = r"_heads.polarity.linear.\w+ must have the shape .* \[3.*\] there and \[2.*\] here"
    with pytest.raises(ConfigurationError, match=expected):
        configs.train(params, folder, "fifth")


def test_rows_of_new_entries_are_left_as_they_are(folder: Path) -> None:
    first: Any = load_archive(archive_of(folder)).model
    params = configs.config(folder, pretrained_file=archive_of(folder))
    params["model"]["heads"]["polarity"]["classes"] = 5
    for label in ("class3", "class4"):
        first.vocab.add_token_to_namespace(label, "labels")
    model: Any = Model.from_params(Params(params["model"]), vocab=first.vocab)
    weight = model._heads["polarity"].linear.weight
    assert isinstance(model, MultiTaskModel)
    assert weight.shape[0] == 5
    assert torch.equal(weight[:3], first._heads["polarity"].linear.weight)


def test_more_rows_than_the_vocabulary_has_grown_by(folder: Path) -> None:
    first: Any = load_archive(archive_of(folder)).model
    params = configs.config(folder, pretrained_file=archive_of(folder))
    params["model"]["heads"]["polarity"]["classes"] = 5
    with pytest.raises(
        ConfigurationError, match="or as many more rows as the vocabulary has grown"
    ):
        Model.from_params(Params(params["model"]), vocab=first.vocab)
