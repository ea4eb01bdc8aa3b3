"""The callback `task_report`: small trainings with a report."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict, Iterator, List

import pytest
import torch
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.training import GradientDescentTrainer
from allennlp.training import util as training_util

from multitask_model import TaskReportCallback
from multitask_model.training.report import picture
from tests.helpers.commands import training_here
from tests.helpers.loading import make_loader
from tests.helpers.messages import exactly
from tests.helpers.models import DIM
from tests.helpers.multitask import tiny_model
from tests.helpers.training_config import HEADS, make_config, train

CLASSIFIER = {
    "type": "classifier",
    "seq2vec_encoder": {"type": "bag_of_embeddings", "embedding_dim": DIM, "averaged": True},
}
TIMES = ("seconds", "head_seconds", "total_seconds")


@pytest.fixture(autouse=True, scope="module")
def _without_picture() -> Iterator[None]:
    """Drawing takes a second for each epoch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(picture.importlib.util, "find_spec", lambda name: None)
        yield


def report_config(folder: Path, epochs: int = 2, **options: Any) -> Dict[str, Any]:
    heads = {**dict.fromkeys(HEADS, CLASSIFIER)}
    config = make_config(folder, heads=heads)
    config["trainer"].update(
        num_epochs=epochs,
        validation_metric="+genre_accuracy",
        callbacks=[{"type": "task_report", **options}],
    )
    result: Dict[str, Any] = json.loads(json.dumps(config))
    return result


def read(folder: Path) -> Dict[str, Any]:
    report: Dict[str, Any] = json.loads((folder / "run" / "report.json").read_text())
    return report


def without_times(report: Dict[str, Any]) -> List[Dict[str, Any]]:
    return [{k: v for k, v in e.items() if k not in TIMES} for e in report["epochs"]]


@pytest.fixture(name="trained", scope="module")
def _trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    train(report_config(folder), folder, "run")
    return folder


def test_the_report_has_the_metrics_of_the_trainer(trained: Path) -> None:
    for epoch, record in enumerate(read(trained)["epochs"]):
        metrics = json.loads((trained / "run" / f"metrics_epoch_{epoch}.json").read_text())
        for head in HEADS:
            for split in ("training", "validation"):
                assert record[split][head] == {
                    "accuracy": metrics[f"{split}_{head}_accuracy"],
                    "loss": metrics[f"{split}_{head}_loss"],
                }
        assert record["training"][""]["loss"] == metrics["training_loss"]


def test_the_report_has_the_instances_of_tasks_and_heads(trained: Path) -> None:
    for record in read(trained)["epochs"]:
        assert record["instances"] == {"tweets": 6, "ewt": 4}
        assert record["head_instances"] == {"polarity": 6, "genre": 4, "mood": 4}
        assert record["has_mixed_batches"]


def test_seconds_of_tasks_are_part_of_those_of_the_epoch(trained: Path) -> None:
    for record in read(trained)["epochs"]:
        assert set(record["seconds"]) == {"tweets", "ewt"}
        assert 0.0 < sum(record["seconds"].values()) < record["total_seconds"]


def test_the_report_has_learning_rates_and_padding(trained: Path) -> None:
    (record, _) = read(trained)["epochs"]
    assert record["learning_rates"] == {"backbone, 3 heads": 0.1}
    # Tweets have one word, the others two. Mixed batches of 4 pad 2 of 8 positions, or none.
    assert set(record["padding"]) == {"training", "validation"}


def test_the_chosen_epoch_is_that_of_the_trainer(trained: Path) -> None:
    metrics = json.loads((trained / "run" / "metrics.json").read_text())
    report = read(trained)
    assert report["validation_metric"] == ["+genre_accuracy"]
    assert report["chosen_epoch"] == report["labels_epoch"] == metrics["best_epoch"]


def test_labels_are_those_of_the_validation_of_the_chosen_epoch(trained: Path) -> None:
    report = read(trained)
    labels, chosen = report["labels"], report["chosen_epoch"]
    validation = report["epochs"][chosen]["validation"]
    for head, gold in (("polarity", [2, 2, 2]), ("genre", [2, 2]), ("mood", [0, 2])):
        pairs = labels[head]["pairs"]
        found = [sum(n for g, _, n in pairs if g == f"class{i}") for i in range(len(gold))]
        assert found == gold
        right = sum(n for g, p, n in pairs if g == p)
        assert right / sum(gold) == pytest.approx(validation[head]["accuracy"])


def test_the_page_is_there_and_the_picture_is_not(trained: Path) -> None:
    assert "<h3><b>polarity</b>" in (trained / "run" / "report.html").read_text()
    assert not (trained / "run" / "report.png").exists()


@pytest.mark.slow
def test_a_recovered_run_keeps_earlier_epochs(tmp_path: Path) -> None:
    config = report_config(tmp_path, epochs=3)
    train(config, tmp_path, "run")
    expected, run = read(tmp_path), tmp_path / "run"
    # Interrupted after the second epoch.
    for path in [*run.glob("*_e3_b0.th"), *run.glob("metrics*.json"), *run.glob("report.*")]:
        path.unlink()
    with training_here():
        train_model(Params(config), str(run), recover=True)
    found = read(tmp_path)
    assert without_times(found) == without_times(expected)
    assert found["epochs"][0] == expected["epochs"][0]
    assert found["labels"] == expected["labels"]


def table(out: str) -> List[str]:
    """The first word of each line of the table. AllenNLP also writes its log to stdout."""
    starts = rf"Epoch 0;|head |({'|'.join(HEADS)}) "
    return [line.split()[0] for line in out.splitlines() if re.match(starts, line)]


def test_progress_bars_and_the_table_are_short(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(report_config(tmp_path, epochs=1), tmp_path, "run")
    out, err = capsys.readouterr()
    bars = [bar for bar in re.split(r"[\r\n]", err) if bar.startswith("loss")]
    assert len(bars) >= 2  # of training and of validation
    assert all(re.match(r"loss \d\.\d\d: .*polarity \d\.\d\d", bar) for bar in bars)
    assert max(map(len, bars)) <= 100
    assert table(out) == ["Epoch", "head", *HEADS]
    # After the training, other trainings have AllenNLP's progress bars.
    assert training_util.description_from_metrics({"a": 1.0}) == "a: 1.0000 ||"


def test_without_console_nothing_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(report_config(tmp_path, epochs=1, console=False), tmp_path, "run")
    out, err = capsys.readouterr()
    assert table(out) == []
    assert "polarity_accuracy: " in err


def test_without_matplotlib_a_line_says_what_to_install(trained: Path) -> None:
    log = (trained / "run" / "out.log").read_text().splitlines()
    (line,) = [line for line in log if "matplotlib" in line]
    assert line.endswith(
        " - Without report.png, because matplotlib is not installed: "
        "pip install 'multitask-model[report]'"
    )


def test_without_validation_data_no_epoch_is_chosen(tmp_path: Path) -> None:
    config = report_config(tmp_path, epochs=1)
    del config["validation_data_path"]
    train(config, tmp_path, "run")
    report = read(tmp_path)
    assert (report["chosen_epoch"], report["validation_metric"], report["labels"]) == (None, [], {})


def train_in_memory(callback: TaskReportCallback) -> None:
    """Trains for an epoch without a serialization directory."""
    model = tiny_model("ab")
    GradientDescentTrainer(
        model,
        torch.optim.SGD(model.parameters(), lr=0.1),
        make_loader({"a": 2, "b": 2}),
        num_epochs=1,
        callbacks=[callback],
        cuda_device=-1,
    ).train()


def test_without_a_serialization_directory_the_table_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    train_in_memory(TaskReportCallback(serialization_dir=None))  # type: ignore[arg-type]
    assert re.findall(r"^(Epoch 0|head|a|b)\b", capsys.readouterr().out, re.M) == [
        "Epoch 0",
        "head",
        "a",
        "b",
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_main_metric_that_the_head_lacks_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    train_in_memory(TaskReportCallback(str(tmp_path), {"a": "+acuracy", "b": "-loss"}))
    assert [message for message in caplog.messages if "main_metrics" in message] == [
        "main_metrics must name metrics that the heads have, but got '+acuracy' for 'a'. Did you "
        "mean 'accuracy'? So far, the metrics are ['accuracy', 'loss']. The report shows none "
        "until there is one of this name."
    ]


def test_a_report_that_cannot_be_written_does_not_end_the_training(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "report.json").mkdir()  # as a full disk would, also for the user root
    train_in_memory(TaskReportCallback(str(tmp_path)))
    assert [message for message in caplog.messages if "task_report" in message] == [
        "task_report must be able to write to the serialization directory, but got: [Errno 21] Is "
        f"a directory: '{tmp_path / 'report.json'}'. The training continues. The next epoch tries "
        "again, with all epochs."
    ]


def start(callback: TaskReportCallback, model: Any) -> None:
    callback.on_start(SimpleNamespace(model=model))  # type: ignore[arg-type]


def test_another_model_is_refused() -> None:
    message = (
        "The trainer callback 'task_report' requires the model 'multitask' of multitask_model, but "
        "got Linear. Change the model, or remove the callback."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        start(TaskReportCallback("run"), torch.nn.Linear(1, 1))


def test_a_main_metric_needs_a_sign() -> None:
    message = (
        "main_metrics must name a metric of each head that starts with '+' (larger is better) or "
        "'-' (smaller is better), but got 'LAS' for 'parser'. Write it as '+accuracy'."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        TaskReportCallback("run", main_metrics={"parser": "LAS"})


def test_a_main_metric_of_an_unknown_head_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"main_metrics .* 'c'"):
        start(TaskReportCallback("run", main_metrics={"c": "+accuracy"}), tiny_model("ab"))
