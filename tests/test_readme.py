"""The blocks of the README run, and its figures are those of the files that it names."""

import ast
import json
import re
from pathlib import Path
from typing import List

import pytest
from allennlp.predictors import Predictor

from tests.helpers.commands import ROOT
from tests.helpers.pages import DOCS, README, code_block, code_blocks, run_in


def filled_lines(text: str) -> List[str]:
    return [line for line in text.splitlines() if line.strip()]


def table_rows(page: Path, section: str = "") -> List[List[str]]:
    """The cells of the rows of all tables of a page or of a section, without headings."""
    text = page.read_text(encoding="utf-8")
    if section:
        text = text.partition(f"# {section}\n")[2].partition("\n# ")[0]
    tables = re.findall(r"^\|.*\n\|[ |-]+\n((?:\|.*\n?)+)", text, re.M)
    lines = [line for table in tables for line in table.splitlines()]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with the data and the config of the README."""
    folder = tmp_path_factory.mktemp("readme")
    data = next(block.code for block in code_blocks(README) if block.language == "bash")
    run_in(folder, ["bash", "-euc", data])
    (folder / "experiment.jsonnet").write_text(code_block(README, "jsonnet"))
    return folder


def test_the_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 150
    assert len(filled_lines(code_block(README, "jsonnet"))) <= 15
    assert len(filled_lines(code_block(README, "python"))) <= 13


@pytest.mark.slow
def test_the_config_and_its_commands(folder: Path) -> None:
    (_, commands) = (block.code for block in code_blocks(README) if block.language == "bash")
    printed = run_in(folder, ["bash", "-euc", commands])
    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    assert metrics["training_polarity_accuracy"] == 1.0
    assert metrics["training_stars_mae"] < 0.5
    review, tweet = map(json.loads, re.findall(r"^prediction:  (.*)$", printed, re.M))
    assert review["polarity_label"] == "negative"
    assert review["stars_prediction"] == pytest.approx(1.0, abs=0.5)
    assert tweet["polarity_label"] == "positive"
    assert "stars_prediction" not in tweet


@pytest.mark.slow
def test_the_script_prints_predictions_and_a_score_and_writes_an_archive(folder: Path) -> None:
    printed = run_in(folder, ["python", "-c", code_block(README, "python")])
    predictions, accuracy = printed.splitlines()
    (review, tweet) = ast.literal_eval(predictions)
    assert review == {"polarity_label": "negative", "stars_prediction": review["stars_prediction"]}
    assert review["stars_prediction"] == pytest.approx(1.0, abs=0.5)
    assert tweet == {"polarity_label": "positive"}
    assert accuracy == "1.0"
    predictor = Predictor.from_path(folder / "copy" / "model.tar.gz")
    found = predictor.predict_json({"task": "tweets", "text": "so good"})
    assert found["polarity_label"] == "positive"


def test_the_cost_of_routing_is_that_of_the_benchmark() -> None:
    rows = table_rows(ROOT / "benchmarks" / "RESULTS.md", section="Cost of routing")
    # Rows of a mode that the machine does not have are without figures.
    theirs, ours = ([float(row[i]) for row in rows if row[i] != "-"] for i in (2, 3))
    assert (
        f"{min(ours):.2f} to {max(ours):.2f} times as long; "
        f"AllenNLP's class: {min(theirs):.2f} to {max(theirs):.2f} times"
    ) in README.read_text(encoding="utf-8")


def test_the_time_of_an_epoch_is_that_of_the_benchmark() -> None:
    rows = table_rows(ROOT / "benchmarks" / "RESULTS.md", section="Time of an epoch")
    row, other = (row for row in rows if row[0] == "`bilstm.jsonnet`")
    text = README.read_text(encoding="utf-8")
    assert (
        f"{row[2]} sentences of EWT, with a BiLSTM | {row[4]} times as fast as AllenNLP's classes; "
        f"{row[6]} times as long as a loop in plain PyTorch"
    ) in text
    assert f"have no buckets (without: {other[4]} times)" in text


def test_the_padding_is_that_of_the_benchmark() -> None:
    rows = table_rows(ROOT / "benchmarks" / "LOADING.md")
    theirs = next(row[-1] for row in rows if row[0] == "AllenNLP")
    ours = next(row[-1] for row in rows if row[0].endswith("`sorting_keys`"))
    text = README.read_text(encoding="utf-8")
    assert f"{ours} of the tokens; AllenNLP's loader: {theirs}" in text


def test_the_number_of_corrections_is_that_of_the_table() -> None:
    corrected = [row for row in table_rows(DOCS / "differences.md") if len(row) == 3]
    text = README.read_text(encoding="utf-8")
    (count,) = re.findall(r"multi-task classes that are corrected \| (\d+) \|", text)
    assert int(count) == len(corrected)
