"""What a weighting learned, in archives of models with other heads or another weighting."""

from pathlib import Path
from typing import Any, Dict

import pytest
from allennlp.common import Params
from allennlp.models import Model

from multitask_model import MultiTaskModel
from tests.helpers.training_config import HEAD, make_config, train

pytestmark = pytest.mark.slow

UNCERTAINTY = {"type": "uncertainty"}


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder with a trained model in `first`."""
    folder = tmp_path_factory.mktemp("weightings")
    train(make_config(folder, loss_weighting=UNCERTAINTY), folder, "first")
    return folder


def learned(model: Any) -> Dict[str, float]:
    assert isinstance(model, MultiTaskModel)
    return {
        name.split(".")[3]: value.item()
        for name, value in model.state_dict().items()
        if name.startswith("_balancing.")
    }


def test_an_archive_has_what_was_learned(folder: Path) -> None:
    values = learned(Model.from_archive(str(folder / "first" / "model.tar.gz")))
    assert values.keys() == {"polarity", "genre", "mood"}
    assert 0.0 not in values.values()


def test_a_head_that_the_archive_does_not_have_starts_anew(folder: Path) -> None:
    params = make_config(folder, loss_weighting=UNCERTAINTY)
    params["model"]["heads"]["irony"] = dict(HEAD)
    params["model"]["heads"].pop("mood")
    params["model"]["task_heads"] = {"tweets": ["polarity", "irony"], "ewt": ["genre"]}
    del params["model"]["arg_name_mapping"]["mood"]
    loaded = Model.load(Params(params), str(folder / "first"))
    old = learned(Model.from_archive(str(folder / "first" / "model.tar.gz")))
    assert learned(loaded) == {"polarity": old["polarity"], "genre": old["genre"], "irony": 0.0}


@pytest.mark.parametrize("weighting", [None, UNCERTAINTY, {"type": "famo"}])
def test_pretraining_initializes_no_weighting(weighting: Any, folder: Path) -> None:
    archive = str(folder / "first" / "model.tar.gz")
    params = make_config(folder, pretrained_file=archive, loss_weighting=weighting)
    params["vocabulary"] = {"type": "extend", "directory": archive}
    params["trainer"]["optimizer"]["lr"] = 0.0
    model = train(params, folder, "second")
    if weighting == UNCERTAINTY:
        assert learned(model) == {"polarity": 0.0, "genre": 0.0, "mood": 0.0}
    assert model.state_dict()["_backbone.linear.bias"].tolist() == (
        Model.from_archive(archive).state_dict()["_backbone.linear.bias"].tolist()
    )
