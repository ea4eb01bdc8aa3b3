"""`allennlp train` and `allennlp evaluate` with the loader."""

import json
from pathlib import Path
from typing import List

import pytest
from allennlp.common.checks import ConfigurationError

from tests.helpers.commands import run_allennlp
from tests.helpers.loading import every, flat
from tests.helpers.recording import PACKAGES, SIZES, read_trained, recording_config, train

pytestmark = pytest.mark.slow


def names_of(run: Path) -> List[List[str]]:
    """The names of the instances in each training batch."""
    return [line["names"] for line in read_trained(run)]


@pytest.fixture(name="run", scope="module")
def _run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on two tasks, with validation data for one of them and a scheduler without a type."""
    params = recording_config()
    params["validation_data_path"] = {"b": "4"}
    params["data_loader"] = {
        "type": "multitask",
        "scheduler": {"batch_size": 3},
        "sampler": "uniform",
        "instances_per_epoch": 12,
    }
    return train(params, tmp_path_factory.mktemp("subset"), "run")


def test_validation_data_may_have_some_of_the_tasks(run: Path) -> None:
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["training_a_loss"] > 0
    assert "validation_a_loss" not in metrics
    # Each of the 4 instances is validated once.
    assert metrics["validation_b_accuracy"] in (0.0, 0.25, 0.5, 0.75, 1.0)
    assert metrics["validation_b_loss"] > 0


def test_evaluation_data_may_have_some_of_the_tasks(run: Path) -> None:
    output, predictions = run / "evaluation.json", run / "predictions.jsonl"
    run_allennlp(
        *["evaluate", run / "model.tar.gz", json.dumps({"a": "7"}), *PACKAGES],
        *["--output-file", output, "--predictions-output-file", predictions],
        directory=run,
    )
    metrics = json.loads(output.read_text())
    assert set(metrics) == {"loss", "a_loss", "a_accuracy", "_a_hidden"}
    batches = [json.loads(line) for line in predictions.read_text().splitlines()]
    # All 7 instances: `instances_per_epoch` is ignored.
    assert [len(batch["a_label"]) for batch in batches] == [3, 3, 1]


def test_every_epoch_has_the_proportions_of_the_sampler(run: Path) -> None:
    batches = names_of(run)
    for start in range(0, len(batches), 4):
        served = flat(batches[start : start + 4])
        assert len(served) == 12
        assert sorted(name[0] for name in served) == ["a"] * 6 + ["b"] * 6
    assert set(flat(batches[:16])) == set(every(SIZES))


def test_the_learning_rate_schedule_is_completed(run: Path) -> None:
    rates = [line["lr"] for line in read_trained(run)]
    assert len(rates) == 16
    assert rates[1] == pytest.approx(0.1)
    assert rates[-2] == pytest.approx(0.1 / 14)
    assert rates[-1] == 0


def test_a_run_is_reproduced_from_its_seed(run: Path, tmp_path: Path) -> None:
    params = json.loads((run / "config.json").read_text())
    again = names_of(train(params, tmp_path, "run"))
    assert again == names_of(run)
    (tmp_path / "other").mkdir()
    params.update(random_seed=5, trainer={**params["trainer"], "num_epochs": 1})
    assert names_of(train(params, tmp_path / "other", "run")) != again[:4]


def test_the_dynamic_sampler_without_the_callback_is_an_error(tmp_path: Path) -> None:
    params = recording_config()
    params["trainer"]["callbacks"] = []
    params["trainer"]["num_epochs"] = 2
    metrics = {"a": "-a_loss", "b": "-b_loss"}
    params["data_loader"].update(
        sampler={"type": "dynamic", "metrics": metrics}, instances_per_epoch=4
    )
    with pytest.raises(ConfigurationError, match="multitask_data"):
        train(params, tmp_path, "run")
