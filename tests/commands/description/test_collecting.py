"""Descriptions of configs that are right."""

from pathlib import Path

import pytest
from allennlp.common.checks import ConfigurationError

from multitask_model.commands.description.collecting import describe
from multitask_model.commands.description.data import Argument, Epoch, Source, Task
from tests.helpers.descriptions import change_config, component, describe_config, write_config


def test_a_right_config_has_no_errors(tmp_path: Path) -> None:
    assert describe_config(tmp_path).errors == []


def test_the_tasks(tmp_path: Path) -> None:
    ewt, tweets = describe_config(tmp_path).tasks
    assert tweets == Task(
        name="tweets",
        reader="LinesReader",
        data_path=str(tmp_path / "tweets.jsonl"),
        heads=["polarity"],
        read=6,
        fields={"text": "TextField", "polarity": "LabelField"},
        unused=[],
        instances=6,
        proportion=0.6,
        per_epoch=6,
    )
    assert (ewt.heads, ewt.read, list(ewt.fields)) == (
        ["genre", "mood"],
        4,
        ["text", "genre", "mood"],
    )


def test_an_argument_of_the_backbone_is_a_field(tmp_path: Path) -> None:
    (text,) = component(describe_config(tmp_path), "backbone").arguments
    # The longest of six sentences has one token, the longest of four has two.
    assert text == Argument(
        name="text",
        required=True,
        allowed=True,
        accepts=["text"],
        sources=[
            Source("ewt", "text", "field", False, 4, {"tokens.tokens": [4, 2]}),
            Source("tweets", "text", "field", False, 6, {"tokens.tokens": [6, 1]}),
        ],
        absent=[],
    )


def test_the_arguments_of_a_head(tmp_path: Path) -> None:
    encoded, mask, label = component(describe_config(tmp_path), "genre").arguments
    assert encoded.required
    assert encoded.sources == [
        Source("ewt", "encoded_text", "backbone output", False, 4, {"": [4, 2, 6]})
    ]
    assert mask.sources[0].shapes == {"": [4, 2]}
    assert not label.required
    assert label.accepts == ["genre", "label"]
    assert label.sources == [Source("ewt", "genre", "field", True, 4, {"": [4]})]


def test_a_label_of_some_instances_has_their_number(tmp_path: Path) -> None:
    label = component(describe_config(tmp_path), "mood").arguments[2]
    assert label.sources == [Source("ewt", "mood", "field", True, 2, {"": [2]})]


def test_outputs_and_losses(tmp_path: Path) -> None:
    genre = component(describe_config(tmp_path), "genre")
    assert genre.outputs == {"logits": [4, 3], "loss": []}
    assert genre.loss_for == ["ewt"]


def test_parameter_counts(tmp_path: Path) -> None:
    found = describe_config(tmp_path)
    # An embedding of 20 words and a linear layer of 6 to 6; three heads of 6 to 3.
    assert [c.parameters for c in found.components] == [20 * 6 + 6 * 6 + 6] + 3 * [6 * 3 + 3]
    assert found.parameters == found.trainable == 225


def test_only_the_given_number_of_instances_is_read(tmp_path: Path) -> None:
    found = describe(str(write_config(tmp_path)), number=2)
    assert [task.read for task in found.tasks] == [2, 2]
    assert [task.instances for task in found.tasks] == [4, 6]


def test_the_batches_of_an_epoch(tmp_path: Path) -> None:
    assert describe_config(tmp_path).epoch == Epoch(
        "multitask", "RoundRobinScheduler", None, instances=10, batches=3
    )


def test_a_sampler_without_sizes_needs_no_counts(tmp_path: Path) -> None:
    loader = {"type": "multitask", "batch_size": 4, "sampler": "uniform", "instances_per_epoch": 20}
    path = change_config(write_config(tmp_path), data_loader=loader)
    found = describe(str(path), number=2, seconds=0)
    assert [(t.instances, t.proportion, t.per_epoch) for t in found.tasks] == 2 * [(None, 0.5, 10)]
    assert found.epoch == Epoch("multitask", "ShuffledScheduler", "UniformSampler", 20, 6)


def test_a_sampler_with_sizes_is_not_known_without_counts(tmp_path: Path) -> None:
    loader = {
        "type": "multitask",
        "batch_size": 4,
        "sampler": "proportional",
        "instances_per_epoch": 20,
    }
    path = change_config(write_config(tmp_path), data_loader=loader)
    found = describe(str(path), number=2, seconds=0)
    assert [(t.proportion, t.per_epoch) for t in found.tasks] == 2 * [(None, None)]
    assert found.notes[0] == (
        "The datasets ['ewt', 'tweets'] were not counted in the time for it. Give them more: "
        "--seconds 60."
    )


def test_missing_data_leaves_the_wiring(tmp_path: Path) -> None:
    path = write_config(tmp_path)
    (tmp_path / "ewt.jsonl").unlink()
    (tmp_path / "tweets.jsonl").unlink()
    found = describe(str(path))
    assert found.errors == []
    label = component(found, "genre").arguments[2]
    assert label == Argument("label", required=False, accepts=["genre", "label"])
    assert found.notes[0].startswith(
        "The instances of 'ewt' could not be read. FileNotFoundError: The files of every dataset "
    )
    assert "Without instances, shapes and outputs are not known." in found.notes


def test_missing_data_of_one_task_leaves_the_others(tmp_path: Path) -> None:
    path = write_config(tmp_path)
    (tmp_path / "ewt.jsonl").unlink()
    found = describe(str(path))
    assert found.errors == []
    assert component(found, "polarity").outputs == {"logits": [6, 3], "loss": []}
    assert component(found, "genre").outputs == {}


def test_a_config_without_data(tmp_path: Path) -> None:
    path = change_config(write_config(tmp_path), train_data_path=None)
    notes = describe(str(path)).notes
    assert notes[0] == "The config has no train_data_path, so no instances were read."


def test_a_head_without_a_task_is_noted(tmp_path: Path) -> None:
    tasks = {"tweets": ["polarity"], "ewt": ["genre"]}
    notes = describe_config(tmp_path, task_heads=tasks).notes
    assert notes == [
        "The heads ['mood'] serve no task and will not be trained. Add them to task_heads."
    ]


def test_a_missing_config_is_reported() -> None:
    message = (
        "^describe requires a config file or an archive, but 'absent.jsonnet' does not exist. "
        "Correct the path.$"
    )
    with pytest.raises(ConfigurationError, match=message):
        describe("absent.jsonnet")


def test_a_config_of_something_else_is_reported(tmp_path: Path) -> None:
    path = change_config(write_config(tmp_path), model=None)
    message = (
        "^A config must have a dataset_reader and a model, but 'config.json' has no model. "
        "Describe the config of a training.$"
    )
    with pytest.raises(ConfigurationError, match=message):
        describe(str(path))


def test_another_model_is_reported(tmp_path: Path) -> None:
    model = {"type": "tests.helpers.models.TinyHead"}
    path = change_config(write_config(tmp_path), model=model)
    message = (
        "^describe requires a model of type 'multitask', but got a TinyHead. Set the type of the "
        "model to 'multitask'.$"
    )
    with pytest.raises(ConfigurationError, match=message):
        describe(str(path))
