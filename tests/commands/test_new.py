"""The subcommand `new`: the starter project is complete, trains, and passes its own test."""

import json
import re
from pathlib import Path
from typing import List

import pytest
from allennlp.common import Params
from allennlp.data import DatasetReader

from multitask_model.__main__ import main
from multitask_model.commands.new import write_starter
from tests.helpers.commands import run_forked
from tests.helpers.pages import run_in

FILES = [
    ".allennlp_plugins",
    "data/reviews.jsonl",
    "data/tweets.jsonl",
    "experiment.jsonnet",
    "stars_head.py",
    "test_project.py",
]


def files_in(folder: Path) -> List[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_it_writes_the_files_and_prints_three_commands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "deep" / "project"
    main(["new", str(project)])
    assert files_in(project) == FILES
    assert capsys.readouterr().out == (
        f"Wrote 6 files to {project}. Next:\n\n"
        f"    cd {project}\n"
        "    multitask-model describe experiment.jsonnet\n"
        "    multitask-model train experiment.jsonnet -s run\n"
    )


def test_an_empty_directory_is_used(tmp_path: Path) -> None:
    assert write_starter(tmp_path) == 6
    assert files_in(tmp_path) == FILES


def test_each_task_has_ten_lines(tmp_path: Path) -> None:
    write_starter(tmp_path)
    for task in ("reviews", "tweets"):
        lines = (tmp_path / "data" / f"{task}.jsonl").read_text().splitlines()
        assert len([json.loads(line) for line in lines]) == 10


def test_the_data_have_all_labels_that_the_readers_ask_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_starter(tmp_path)
    config = Params.from_file(str(tmp_path / "experiment.jsonnet"))
    reader = DatasetReader.from_params(config["dataset_reader"])
    labels = {}
    for task, path in config["train_data_path"].as_dict().items():
        instances = list(reader.read(str(tmp_path / path), force_task=task))  # type: ignore
        labels[task] = {name for instance in instances for name in instance.fields}
    assert labels["reviews"] == {"text", "task", "polarity", "stars"}
    assert labels["tweets"] == {"text", "task", "polarity"}
    assert [record for record in caplog.records if record.levelname == "WARNING"] == []


def test_a_directory_with_files_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.tex").write_text("...")
    with pytest.raises(SystemExit) as error:
        main(["new", str(tmp_path)])
    assert error.value.code == (
        f"error: new requires a new or empty directory, but {str(tmp_path)!r} is one with "
        "['thesis.tex']. Choose another directory."
    )
    assert files_in(tmp_path) == ["thesis.tex"]


def test_a_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "thesis.tex"
    path.write_text("...")
    with pytest.raises(SystemExit) as error:
        main(["new", str(path)])
    assert error.value.code == (
        f"error: new requires a new or empty directory, but {str(path)!r} is a file. Choose "
        "another directory."
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("starter")
    write_starter(folder)
    return folder


@pytest.mark.slow
def test_the_commands_in_its_config_run(project: Path) -> None:
    comments = (project / "experiment.jsonnet").read_text()
    listed = re.findall(r"^//     ((?:multitask-model|echo|python) .*?)(?:   .*)?$", comments, re.M)
    assert [command.split()[1] for command in listed][:3] == ["describe", "train", "evaluate"]
    printed = run_in(project, ["bash", "-euc", "\n".join(listed)])
    assert "stars      optional  field stars" in re.sub(" {5,}", "      ", printed)
    assert '"stars_prediction": ' in printed
    assert "3 passed" in printed
    metrics = json.loads((project / "run" / "metrics.json").read_text())
    assert metrics["validation_polarity_accuracy"] == 1.0


@pytest.mark.slow
def test_the_allennlp_command_has_the_subcommands_of_the_project(project: Path) -> None:
    # By the file .allennlp_plugins.
    run_forked("-m", "allennlp", "describe", "experiment.jsonnet", directory=project)
