"""The checks that AllenNLP's trainer makes for a `MultiTaskModel`."""

import json
from pathlib import Path
from typing import List

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from multitask_model import MultiTaskModel
from tests.helpers.messages import exactly
from tests.helpers.models import TinyHead
from tests.helpers.training_config import make_config, train

pytestmark = pytest.mark.slow


def test_a_training_batch_without_a_loss_is_explained(tmp_path: Path) -> None:
    mapping = {"polarity": {"poliarity": "label"}, "genre": {"genre": "label"}}
    config = make_config(tmp_path, arg_name_mapping=mapping)
    config["data_loader"]["scheduler"] = {"type": "homogeneous_roundrobin", "batch_size": 2}
    message = (
        "At least one component must return a loss for each training batch, but got none from the "
        "backbone and the heads ['polarity'], which ran for the tasks ['tweets']. 'polarity' ran "
        "without the optional arguments ['label'], and no component takes the fields ['polarity'] "
        "of its instances. Did you mean 'polarity'? Map a field to the argument: "
        "arg_name_mapping={'polarity': {'polarity': 'label'}}."
    )
    with pytest.raises(RuntimeError, match=exactly(message)) as raised:
        train(config, tmp_path, "run")
    assert "does not contain a 'loss' key" in str(raised.value.__cause__)


def test_an_unknown_validation_metric_is_found_before_the_first_epoch(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    config["trainer"]["validation_metric"] = ["+genre_accuracy", "+polarity_acuracy"]
    message = (
        "validation_metric must name metrics that the model has in validation, but got "
        "'polarity_acuracy'. Did you mean 'polarity_accuracy'? The metrics are "
        "['_genre_hidden', '_mood_hidden', '_polarity_hidden', 'genre_accuracy', 'genre_loss', "
        "'loss', 'mood_accuracy', 'mood_loss', 'polarity_accuracy', 'polarity_loss']. Correct the "
        "name, or add validation data with labels for its head."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        train(config, tmp_path, "run")
    assert not list((tmp_path / "run").glob("metrics_epoch_*"))


def test_the_check_of_the_validation_metric_does_not_change_the_training(tmp_path: Path) -> None:
    results = []
    for metric in ("-loss", ["+polarity_accuracy", "+polarity_accuracy", "-mood_loss"]):
        config = make_config(tmp_path)
        config["trainer"].update(validation_metric=metric, num_epochs=2)
        model = train(config, tmp_path, "run")
        metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
        losses = ("training_loss", "training_polarity_loss", "training_mood_accuracy")
        results.append([metrics[key] for key in losses])
        assert isinstance(model, MultiTaskModel)
        assert model.get_metrics() == {}
    assert results[0] == results[1]


def test_validation_without_the_task_of_a_metric_is_an_error(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    del config["validation_data_path"]["tweets"]
    config["trainer"]["validation_metric"] = "+polarity_accuracy"
    with pytest.raises(ConfigurationError, match="but got 'polarity_accuracy'"):
        train(config, tmp_path, "run")


def test_a_metric_that_only_later_instances_have_is_accepted(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    path = Path(config["train_data_path"]["tweets"])
    path.write_text(path.read_text() * 20)
    config["trainer"]["validation_metric"] = "+polarity_fscore_class1"
    config["model"]["heads"]["polarity"] = LABELS_HEAD
    with pytest.raises(ConfigurationError, match="to use the polarity_fscore_class1 metric"):
        train(config, tmp_path, "run")
    config["trainer"]["validation_metric"] = "+polarity_fscore_klass1"
    with pytest.raises(ConfigurationError, match="validation_metric must name metrics"):
        train(config, tmp_path, "run")


LABELS_HEAD = {"type": "tests.training.test_trainer_checks.NamespaceHead"}


class NamespaceHead(TinyHead):
    """A head that says which namespace its labels are in."""

    def __init__(self, vocab: Vocabulary, label_namespace: str = "labels") -> None:
        super().__init__(vocab)
        self._label_namespace = label_namespace


def shared_namespaces(folder: Path) -> List[str]:
    """The warnings of shared namespaces in the log of a training."""
    lines = (folder / "run" / "out.log").read_text().splitlines()
    return [line.split(" - ", 3)[3] for line in lines if "- Tasks with different heads" in line]


def test_label_sets_that_share_a_namespace_by_accident_are_reported(tmp_path: Path) -> None:
    train(make_config(tmp_path), tmp_path, "run")
    assert shared_namespaces(tmp_path) == [
        "Tasks with different heads should write their labels to different namespaces, but got "
        "several sets of labels in 'labels', so that each head also predicts the labels of the "
        "other tasks: 'tweets': ['class0', 'class1', 'class2']; 'ewt': ['class0', 'class1']. Set "
        "per_task_label_namespaces to true in the dataset reader, and label_namespace of each head "
        "to TASK_labels; or give the readers different namespaces."
    ]


def test_namespaces_per_task_and_shared_heads_are_not_reported(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    config["dataset_reader"]["per_task_label_namespaces"] = True
    train(config, tmp_path, "run")
    assert shared_namespaces(tmp_path) == []
    config = make_config(tmp_path, task_heads={"tweets": ["polarity"], "ewt": ["polarity", "mood"]})
    config["model"]["arg_name_mapping"]["polarity"]["genre"] = "label"
    del config["model"]["heads"]["genre"], config["model"]["arg_name_mapping"]["genre"]
    train(config, tmp_path, "run")
    assert shared_namespaces(tmp_path) == []


@pytest.mark.parametrize("data", ["train_data_path", "validation_data_path"])
def test_a_task_without_heads_is_found_before_the_first_epoch(tmp_path: Path, data: str) -> None:
    config = make_config(tmp_path, task_heads={"tweets": ["polarity"], "ew": ["genre", "mood"]})
    other = {"train_data_path", "validation_data_path"}.difference([data]).pop()
    del config[other]["ewt"]
    message = (
        "The 'task' of each instance must be one of the model's tasks, but got 'ewt'. Did you mean "
        "'ew'? The tasks are ['tweets', 'ew']. Name it in task_heads of the model, or correct the "
        "name of its dataset reader."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        train(config, tmp_path, "run")


def test_the_cause_of_a_metric_that_there_is_not_is_a_misspelled_field(tmp_path: Path) -> None:
    mapping = {"polarity": {"poliarity": "label"}, "genre": {"genre": "label"}}
    config = make_config(tmp_path, arg_name_mapping=mapping)
    config["trainer"]["validation_metric"] = "+polarity_accuracy"
    message = (
        "validation_metric must name metrics that the model has in validation, but got "
        "'polarity_accuracy'. The metrics are ['_genre_hidden', 'genre_accuracy', 'genre_loss', "
        "'loss']. 'polarity' ran without the optional arguments ['label'], and no component takes "
        "the fields ['polarity'] of its instances. Did you mean 'polarity'? Map a field to the "
        "argument: arg_name_mapping={'polarity': {'polarity': 'label'}}."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        train(config, tmp_path, "run")
