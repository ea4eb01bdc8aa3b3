"""The subcommand `describe`."""

import json
from pathlib import Path
from typing import Any

import pytest

from multitask_model.__main__ import main
from tests.helpers.commands import training_here
from tests.helpers.descriptions import write_config
from tests.helpers.training_config import HEADS, make_config, train

WRONG = {"arg_name_mapping": {name: {name: "label"} for name in HEADS[:2]}}
ERROR = (
    "A head must return a loss to be trained, but got none from 'mood' for task 'ewt'. It ran "
    "without the optional arguments ['label'], and no component takes the fields ['mood'] of its "
    "instances. Did you mean 'mood'? Map a field to the argument: arg_name_mapping={'mood': "
    "{'mood': 'label'}}."
)


def test_tables_are_the_default(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["describe", str(write_config(tmp_path))])
    printed = capsys.readouterr()
    assert "Batches per epoch: 3 (RoundRobinScheduler)\n" in printed.out
    assert printed.err == ""


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["describe", "--json", str(write_config(tmp_path))])
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["parameters"], found["errors"]) == ("config", 225, [])
    assert found["components"][1]["arguments"][2]["sources"] == [
        {
            "task": "ewt",
            "name": "genre",
            "origin": "field",
            "renamed": True,
            "instances": 4,
            "shapes": {"": [4]},
        }
    ]


def test_dot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["describe", "--dot", str(write_config(tmp_path))])
    assert capsys.readouterr().out.startswith("digraph wiring {\n")


def test_overrides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    overrides = '{"data_loader.scheduler.batch_size": 2}'
    main(["describe", "--json", "-o", overrides, str(write_config(tmp_path))])
    assert json.loads(capsys.readouterr().out)["epoch"]["batches"] == 5


@pytest.mark.parametrize("option", ["--json", "--dot", "--instances=3"])
def test_the_exit_code_is_1_if_anything_is_wrong(
    tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(write_config(tmp_path, **WRONG))
    with pytest.raises(SystemExit) as error:
        main(["describe", option, path])
    assert error.value.code == 1
    printed = capsys.readouterr()
    if option == "--json":
        assert [error["message"] for error in json.loads(printed.out)["errors"]] == [ERROR]
    elif option == "--dot":
        assert printed.err == f"error: {ERROR}\n"
    else:
        assert printed.out.endswith(f"\nErrors\n- {ERROR}\n")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("trainr", {}),
        ("data_loader.shufle", True),
        ("data_loader.sorting_keys", ["txt"]),
        ("train_data_path.tweets", "missing.jsonl"),
        ("validation_data_path.twets", "missing.jsonl"),
        ("trainer.callbacks", ["task_reprt"]),
        ("trainer.optimizer", "adm"),
        ("trainer.validation_metric", "+acuracy"),
    ],
)
def test_what_the_page_of_the_command_leaves_to_a_training(
    tmp_path: Path, key: str, value: object, capsys: pytest.CaptureFixture[str]
) -> None:
    overrides = json.dumps({key: value})
    main(["describe", "--json", "-o", overrides, str(write_config(tmp_path))])
    found = json.loads(capsys.readouterr().out)
    assert found["errors"] == []
    assert any("missing.jsonl" in note for note in found["notes"]) == key.startswith("train_data")


def test_a_negative_number_of_instances_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as error:
        main(["describe", "--instances=-1", str(write_config(tmp_path))])
    assert error.value.code == 2
    assert "argument --instances: must be at least 0, but got -1" in capsys.readouterr().err


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a training."""
    folder = tmp_path_factory.mktemp("training")
    config: Any = make_config(folder)
    train(config, folder, "run")
    return folder / "run"


@pytest.mark.parametrize("name", ["model.tar.gz", ""])
def test_an_archive_and_a_serialization_directory(
    run: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with training_here():
        main(["describe", "--json", str(run / name)])
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["parameters"], found["errors"]) == ("archive", 225, [])
    assert [task["read"] for task in found["tasks"]] == [4, 6]
    assert found["notes"] == []


def test_a_label_that_an_archive_does_not_have(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "tweets.jsonl"
    data.write_text('{"text": "w1", "polarity": "class7"}\n')
    overrides = json.dumps({"train_data_path.tweets": str(data)})
    with training_here(), pytest.raises(SystemExit):
        main(["describe", "--json", "-o", overrides, str(run / "model.tar.gz")])
    (error,) = json.loads(capsys.readouterr().out)["errors"]
    assert error["task"] == "tweets"
    assert error["message"].startswith(
        "Every label must be in the vocabulary, but got 'class7' in the field 'polarity' of "
        "instance 0 (counted from 0) of the dataset 'tweets'"
    )
