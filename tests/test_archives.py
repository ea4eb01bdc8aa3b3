"""Archives of AllenNLP's own class are loaded as ours and vice versa, with equal outputs."""

import json
from pathlib import Path
from typing import Any, Dict, Tuple

import pytest
import torch
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.models import Model
from allennlp.models.archival import load_archive
from allennlp.models.multitask import MultiTaskModel as AllenNlpModel
from allennlp.predictors import Predictor

from multitask_model import MultiTaskModel, MultiTaskPredictor
from tests.helpers import allennlp_alone
from tests.helpers.allennlp_alone import outputs_of
from tests.helpers.commands import run_forked, training_here
from tests.helpers.models import DIM

pytestmark = pytest.mark.slow

WORDS = {"size": ["small", "large"], "color": ["red", "green"]}

CONFIG: Dict[str, Any] = {
    "dataset_reader": {
        "type": "multitask",
        "readers": {
            task: {"type": "text_classification_json", "tokenizer": "whitespace"} for task in WORDS
        },
    },
    "model": {
        "type": "multitask",
        "backbone": {"type": "tests.helpers.models.TinyBackbone"},
        "heads": {
            task: {
                "type": "classifier",
                "seq2vec_encoder": {"type": "bag_of_embeddings", "embedding_dim": DIM},
            }
            for task in WORDS
        },
        "loss_weights": {"size": 1.0, "color": 0.3},
        "arg_name_mapping": {"backbone": {"tokens": "text"}},
    },
    "data_loader": {
        "type": "multitask",
        "scheduler": {"type": "roundrobin", "batch_size": 3},
        "shuffle": False,  # the two loaders have different random seeds
    },
    "trainer": {"num_epochs": 3, "optimizer": {"type": "adam", "lr": 0.1}, "cuda_device": -1},
}


@pytest.fixture(name="config", scope="module")
def _config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("archives")
    paths = {task: str(directory / f"{task}.jsonl") for task in WORDS}
    for task, words in WORDS.items():
        rows = [
            {"text": text.format(word), "label": word}
            for text in ["a {} one", "{}", "that one is {}", "one that is {0} is {0}"]
            for word in words
        ]
        Path(paths[task]).write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = directory / "config.json"
    config.write_text(
        json.dumps({**CONFIG, "train_data_path": paths, "validation_data_path": paths})
    )
    return config


@pytest.fixture(name="ours", scope="module")
def _ours(config: Path) -> Path:
    """The archive of our class, trained in this process."""
    directory = config.parent / "ours"
    with training_here():
        train_model(Params.from_file(config), directory)
    return directory / "model.tar.gz"


@pytest.fixture(name="theirs", scope="module")
def _theirs(config: Path, ours: Path) -> Path:
    """The archive of AllenNLP's class, trained in a process that does not import ours."""
    directory = config.parent / "theirs"
    output = config.parent / "outputs.json"
    run_forked(allennlp_alone.__file__, config, ours, directory, output, directory=config.parent)
    return directory / "model.tar.gz"


@pytest.fixture(name="alone", scope="module")
def _alone(theirs: Path) -> Dict[str, Any]:
    """The outputs of both archives in that process."""
    return json.loads((theirs.parents[1] / "outputs.json").read_text())


def test_an_archive_of_allennlp_is_loaded_as_our_model(theirs: Path, alone: Dict[str, Any]) -> None:
    assert alone["trained"]["class"] == "allennlp.models.multitask.MultiTaskModel"
    found = outputs_of(str(theirs))
    assert found["class"] == "multitask_model.model.MultiTaskModel"
    assert found["outputs"] == alone["trained"]["outputs"]


def test_allennlp_alone_loads_our_archive(ours: Path, alone: Dict[str, Any]) -> None:
    assert alone["given"]["class"] == "allennlp.models.multitask.MultiTaskModel"
    found = outputs_of(str(ours))
    assert found["class"] == "multitask_model.model.MultiTaskModel"
    assert alone["given"]["outputs"] == found["outputs"]


def test_all_outputs_are_compared(ours: Path) -> None:
    outputs = outputs_of(str(ours))["outputs"]
    encoded = {"encoded_text", "encoded_text_mask"}
    heads = {f"{task}_{name}" for task in WORDS for name in ("logits", "probs", "loss")}
    assert set(outputs) == {"loss", *encoded, *heads}
    assert len(outputs["size_logits"]) == 8
    assert outputs["loss"] > 0


def test_both_train_to_the_same_weights(ours: Path, theirs: Path) -> None:
    weights = [torch.load(archive.parent / "best.th") for archive in (ours, theirs)]
    assert list(weights[0]) == list(weights[1])
    for name, value in weights[0].items():
        assert torch.equal(value, weights[1][name]), name


def test_both_report_the_same_metrics(ours: Path, theirs: Path) -> None:
    found, expected = (
        json.loads((archive.parent / "metrics.json").read_text()) for archive in (ours, theirs)
    )
    for name, value in expected.items():
        if "duration" not in name and "memory" not in name:
            assert found[name] == value, name
    added = {
        f"{part}_{task}_loss"
        for part in ("training", "validation", "best_validation")
        for task in WORDS
    }
    assert found.keys() - expected.keys() == added


def test_our_predictor_predicts_from_an_archive_of_allennlp(theirs: Path) -> None:
    predictor = Predictor.from_path(theirs)
    assert type(predictor) is MultiTaskPredictor
    texts = [("size", "a large one"), ("color", "green"), ("color", "a red one")]
    found = predictor.predict_batch_json([{"task": task, "text": text} for task, text in texts])
    labels = [
        (name, value)
        for row in found
        for name, value in row.items()
        if name.endswith("_label") and not name.endswith("_probs_by_label")
    ]
    assert labels == [("size_label", "large"), ("color_label", "green"), ("color_label", "red")]


@pytest.fixture(name="models")
def _models(ours: Path) -> Tuple[Model, Model]:
    """A model of each class, with different weights."""
    archive = load_archive(ours)
    vocab = archive.model.vocab
    params = archive.config["model"].as_dict(quiet=True)
    torch.manual_seed(5)
    config = {**params, "type": "allennlp.models.multitask.MultiTaskModel"}
    return Model.from_params(Params(config), vocab=vocab), archive.model


@pytest.mark.parametrize("direction", ["to ours", "from ours"])
def test_each_class_loads_the_weights_of_the_other(
    direction: str, models: Tuple[Model, Model]
) -> None:
    source, target = models if direction == "to ours" else reversed(models)
    assert {type(source), type(target)} == {AllenNlpModel, MultiTaskModel}
    state = {name: value.clone() for name, value in source.state_dict().items()}
    assert list(target.state_dict()) == list(state)
    assert not all(torch.equal(target.state_dict()[name], state[name]) for name in state)
    target.load_state_dict(state)
    for name, value in target.state_dict().items():
        assert torch.equal(value, state[name]), name
