"""Descriptions of configs that are wrong: all errors, in the words of the model."""

import json
from pathlib import Path
from typing import Any, Dict

import pytest

from multitask_model.commands.description.collecting import describe
from multitask_model.commands.description.data import WiringError
from tests.helpers.descriptions import (
    change_config,
    component,
    describe_config,
    messages,
    write_config,
)
from tests.helpers.label_configs import TWO_NAMESPACES, two_namespaces
from tests.helpers.training_config import HEAD, HEADS, make_config

MAPPING = {name: {name: "label"} for name in HEADS}
NAMES = "['encoded_text', 'encoded_text_mask', 'label']"
COMPONENTS = "['backbone', 'genre', 'mood', 'polarity']"


def test_every_wrong_name_is_an_error(tmp_path: Path) -> None:
    found = describe_config(
        tmp_path,
        loss_weights={"genr": 1.0},
        copy_inputs=["modd"],
        arg_name_mapping={**MAPPING, "mood": {"mood": "labl"}, "poarity": {}},
        allowed_arguments={"backbone": ["text", "txet"]},
        task_heads={"tweets": ["polarity", "polrity"], "ewt": ["genre", "mood"]},
    )
    known = f"Known names: {COMPONENTS}."
    assert messages(found) == [
        "loss_weights must name 'backbone' or a head, but got 'genr'. Did you mean 'genre'? "
        f"{known}",
        "arg_name_mapping must name 'backbone' or a head, but got 'poarity'. Did you mean "
        f"'polarity'? {known}",
        f"copy_inputs must name 'backbone' or a head, but got 'modd'. Did you mean 'mood'? {known}",
        "task_heads must name heads of the model for task 'tweets', but got 'polrity'. Did you "
        "mean 'polarity'? Known names: ['genre', 'mood', 'polarity'].",
        "allowed_arguments must name an argument that forward() of 'backbone' takes, but got "
        "'txet'. Did you mean 'text'? Known names: ['text'].",
        "arg_name_mapping must name an argument that forward() of 'mood' takes, but got 'labl'. "
        f"Did you mean 'label'? Known names: {NAMES}.",
    ]


def test_the_model_is_described_without_what_is_wrong(tmp_path: Path) -> None:
    found = describe_config(tmp_path, loss_weights={"genr": 1.0})
    assert [component.name for component in found.components] == ["backbone", *sorted(HEADS)]
    assert [component.loss_for for component in found.components[1:]] == [["ewt"]] * 2 + [
        ["tweets"]
    ]


def test_a_label_that_reaches_no_head(tmp_path: Path) -> None:
    found = describe_config(tmp_path, arg_name_mapping={**MAPPING, "polarity": {}})
    assert found.errors == [
        WiringError(
            "A head must return a loss to be trained, but got none from 'polarity' for task "
            "'tweets'. It ran without the optional arguments ['label'], and no component takes the "
            "fields ['polarity'] of its instances. Did you mean 'polarity'? Map a field to the "
            "argument: arg_name_mapping={'polarity': {'polarity': 'label'}}.",
            "polarity",
            "tweets",
        )
    ]
    assert [task.unused for task in found.tasks] == [[], ["polarity"]]


def test_missing_required_arguments_of_all_tasks(tmp_path: Path) -> None:
    found = describe_config(tmp_path, arg_name_mapping={"backbone": {"text": "text", "x": "text"}})
    assert messages(found)[0].startswith("A head must return a loss to be trained")
    found = describe_config(tmp_path, allowed_arguments={"backbone": []})
    assert [(error.component, error.task) for error in found.errors] == [
        ("backbone", "ewt"),
        ("backbone", "tweets"),
    ]
    assert messages(found)[1] == (
        "'backbone' requires the argument 'text', but only ['text', 'polarity', 'task'] are "
        "available to it (after arg_name_mapping). allowed_arguments leaves out ['text']: add what "
        "is required to it."
    )


def test_errors_that_follow_from_another_are_left_out(tmp_path: Path) -> None:
    mapping = {**MAPPING, "polarity": {"polarity": "labels"}}
    found = describe_config(tmp_path, arg_name_mapping=mapping)
    assert messages(found) == [
        "arg_name_mapping must name an argument that forward() of 'polarity' takes, but got "
        f"'labels'. Did you mean 'label'? Known names: {NAMES}."
    ]


def test_a_task_that_the_model_does_not_have(tmp_path: Path) -> None:
    tasks = {"tweet": ["polarity"], "ewt": ["genre", "mood"]}
    found = describe_config(tmp_path, task_heads=tasks)
    expected = (
        "The 'task' of each instance must be one of the model's tasks, but got 'tweets'. Did you "
        "mean 'tweet'? The tasks are ['ewt', 'tweet']. Name it in task_heads of the model, or "
        "correct the name of its dataset reader."
    )
    assert found.errors == [WiringError(expected, task="tweets")]
    (tmp_path / "tweets.jsonl").unlink()
    assert describe(str(tmp_path / "config.json")).errors == found.errors


def test_heads_that_cannot_be_built(tmp_path: Path) -> None:
    heads = {name: {**HEAD, "classess": 3} for name in HEADS[:2]}
    found = describe_config(tmp_path, heads={**heads, "mood": HEAD})
    assert [error.component for error in found.errors] == ["genre", "polarity"]
    assert messages(found)[0].startswith("'genre' cannot be built: ")
    assert found.components == []
    assert "The model cannot be built, so no instances were passed through it." in found.notes


def test_a_check_that_is_made_of_no_name(tmp_path: Path) -> None:
    found = describe_config(tmp_path, loss_reduction="mean")
    assert messages(found) == ["loss_reduction must be 'heads' or 'instances', but got 'mean'."]


def test_a_model_without_heads(tmp_path: Path) -> None:
    found = describe_config(tmp_path, heads={}, task_heads={}, arg_name_mapping={})
    assert messages(found)[0] == (
        "heads must have at least one head, but got an empty mapping. Add a head."
    )


def test_wrong_options_of_the_data_loader(tmp_path: Path) -> None:
    loader = {"type": "multitask", "batch_size": 4, "instances_per_epoch": 8}
    path = change_config(write_config(tmp_path), data_loader=loader)
    assert messages(describe(str(path))) == [
        "instances_per_epoch requires a sampler, which sets the proportion of each dataset, but "
        "got none. Add one, such as 'proportional', or remove instances_per_epoch."
    ]


def test_a_data_path_of_no_reader(tmp_path: Path) -> None:
    paths = {"twets": "tweets.jsonl", "ewt": str(tmp_path / "ewt.jsonl")}
    path = change_config(write_config(tmp_path), train_data_path=paths)
    assert messages(describe(str(path))) == [
        "The data path of a multitask loader must name tasks that have a reader, but got 'twets'. "
        "Did you mean 'tweets'? The tasks of the dataset reader: ['ewt', 'tweets']."
    ]


@pytest.mark.parametrize(
    ("scheduler", "number"), [("roundrobin", 1), ("homogeneous_roundrobin", 0)]
)
def test_an_error_of_mixed_batches(tmp_path: Path, scheduler: str, number: int) -> None:
    config: Dict[str, Any] = make_config(tmp_path)
    # The backbone needs the label of the tweets, which a mixed batch has for some rows only.
    backbone = {"type": "tests.helpers.description_models.LabelBackbone"}
    path = change_config(
        write_config(tmp_path, backbone=backbone),
        data_loader={**config["data_loader"], "scheduler": {"type": scheduler, "batch_size": 4}},
    )
    found = messages(describe(str(path)))
    assert len(found) == number
    assert all(m.startswith("The backbone encodes every instance of a batch, but") for m in found)


def test_any_other_error_of_a_component_names_it(tmp_path: Path) -> None:
    backbone = {"type": "tests.helpers.description_models.FailingBackbone"}
    found = describe_config(tmp_path, backbone=backbone)
    assert [(error.task, error.message) for error in found.errors] == [
        ("ewt", "'backbone' raised KeyError: 'tokens'"),
        ("tweets", "'backbone' raised KeyError: 'tokens'"),
    ]


def test_a_misspelled_source_of_an_argument(tmp_path: Path) -> None:
    mapping = {**MAPPING, "polarity": {"polarity": "label", "polaritys": "label"}}
    found = describe_config(tmp_path, arg_name_mapping=mapping)
    assert messages(found) == [
        "arg_name_mapping of 'polarity' must map names of fields or backbone outputs, but got "
        "'polaritys', which no instance that was read had so far. Did you mean 'polarity'? The "
        "names are ['encoded_text', 'encoded_text_mask', 'polarity', 'text']."
    ]


def test_an_absent_source_that_is_close_to_no_name_is_no_error(tmp_path: Path) -> None:
    mapping = {**MAPPING, "polarity": {"polarity": "label", "sentiment": "label"}}
    assert describe_config(tmp_path, arg_name_mapping=mapping).errors == []


def test_what_a_head_lacks_is_not_known_without_the_backbone(tmp_path: Path) -> None:
    backbone = {"type": "tests.helpers.description_models.FailingBackbone"}
    found = describe_config(tmp_path, backbone=backbone)
    arguments = component(found, "genre").arguments
    assert [argument.absent for argument in arguments] == [[], [], []]


def test_labels_of_another_namespace_than_that_of_their_head(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(two_namespaces(tmp_path)))
    assert describe(str(path)).errors == [WiringError(TWO_NAMESPACES, "polarity", "tweets")]
