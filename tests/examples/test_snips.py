"""The example on queries with intents and slots, with queries written by hand."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest

from examples.snips import prepare
from examples.snips.prepare import Query
from tests.helpers.commands import ROOT, run_allennlp_here
from tests.helpers.tiny_bert import HIDDEN_SIZE, make_tiny_bert

SCRIPT = Path(prepare.__file__)
KINDS = ["good", "bad", "1", "2"]


def chunk(text: str, slot: Optional[str] = None) -> Dict[str, str]:
    return {"text": text} if slot is None else {"text": text, "entity": slot}


def content_of(intent: str, *queries: List[Dict[str, str]]) -> str:
    return json.dumps({intent: [{"data": chunks} for chunks in queries]})


def query(text: str, intent: str = "Ask") -> Query:
    return Query(text, intent, tuple(text.split()), ("O",) * len(text.split()))


def write_intent(folder: Path, intent: str, train: Any, test: Any) -> None:
    (folder / intent).mkdir(parents=True)
    (folder / intent / f"train_{intent}_full.json").write_text(content_of(intent, *train))
    (folder / intent / f"validate_{intent}.json").write_text(content_of(intent, *test))


def write_snips(folder: Path, count: int = 60) -> Path:
    """Two intents, and slots that the words give away, all of which the tiny BERT knows."""
    for intent, first, slot, names, last in [
        ("Sit", "the ", "animal", ["cat", "dog"], " sat"),
        ("Run", "ran on a ", "goal", ["mat", "b"], " not"),
    ]:
        queries = [
            [chunk(first), chunk(f"{KINDS[i % 4]} {names[i % 2]}", slot), chunk(f"{last} {i}")]
            for i in range(count)
        ]
        write_intent(folder, intent, queries[:-6], queries[-6:])
    return folder


def prepared(*arguments: Any) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def read_jsonl(path: Path) -> List[Dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_tokens_and_tags_keep_to_the_pieces_of_a_query() -> None:
    chunks = [
        chunk("Wake me at "),
        chunk("7:30 a.m.", "time"),
        chunk("in", "where"),  # nothing between it and the slot before
        chunk(" St. John's", "where"),
        chunk("-town, won’t you?"),
    ]
    [found] = prepare.parse(content_of("Wake", chunks), "file")
    assert found.intent == "Wake"
    assert found.text == "Wake me at 7:30 a.m.in St. John's-town, won’t you?"
    pairs = [
        *[("Wake", "O"), ("me", "O"), ("at", "O")],
        *[("7", "B-time"), (":", "I-time"), ("30", "I-time")],
        *[("a", "I-time"), (".", "I-time"), ("m", "I-time"), (".", "I-time")],
        *[("in", "B-where"), ("St", "B-where"), (".", "I-where"), ("John's", "I-where")],
        *[("-", "O"), ("town", "O"), (",", "O"), ("won’t", "O"), ("you", "O"), ("?", "O")],
    ]
    assert list(zip(found.tokens, found.slots)) == pairs
    assert len(found.tokens) == len(found.slots)


def test_utf8_with_and_without_halves_of_characters(capsys: pytest.CaptureFixture[str]) -> None:
    text = "café 🍕"
    halves = "café \ud83c\udf55".encode("utf-8", "surrogatepass")
    assert halves != text.encode()
    assert prepare.decode(text.encode(), "file") == text
    assert prepare.decode(halves, "file") == text
    assert capsys.readouterr() == ("", "")


def test_latin_1_is_read_and_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert prepare.decode("café au lait".encode("latin-1"), "Order.json") == "café au lait"
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "Order.json is not UTF-8 (invalid continuation byte): read as Latin-1\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "JSONDecodeError"),
        ("[1]", "AttributeError"),
        ("{}", "ValueError"),
        ('{"A": [], "B": []}', "ValueError"),
        ('{"A": 1}', "TypeError"),
        ('{"A": [{"text": "a"}]}', "KeyError"),
    ],
)
def test_a_file_of_another_form_is_refused(content: str, reason: str) -> None:
    message = (
        r'^A\.json has to be one JSON object {INTENT: \[{"data": \[\.\.\.\]}, \.\.\.\]}, but '
        rf"reading it as that failed: {reason}\(.*\)\. Get the file again\.$"
    )
    with pytest.raises(ValueError, match=message):
        prepare.parse(content, "A.json")


@pytest.mark.parametrize(
    ("chunks", "message"),
    [
        (
            [{"entity": "x"}],
            'a query has to be a list of {"text": ...} with or without an "entity", but it is '
            "[{'entity': 'x'}]. Correct or remove it.",
        ),
        (
            [{"text": 1}],
            'a query has to be a list of {"text": ...} with or without an "entity", but it is '
            "[{'text': 1}]. Correct or remove it.",
        ),
        (
            [chunk("a "), chunk(" ", "x")],
            "a slot has to have a token in it, but 'x' is ' '. Correct or remove it.",
        ),
        ([chunk(" ")], "a query has to have a token in it, but its text is ' '. Remove it."),
        ([], "a query has to have a token in it, but its text is ''. Remove it."),
    ],
)
def test_a_malformed_query_is_named(chunks: Any, message: str) -> None:
    content = content_of("A", [chunk("fine")], chunks)
    with pytest.raises(ValueError, match=f"^{re.escape(f'A.json, query 2: {message}')}$"):
        prepare.parse(content, "A.json")


def test_a_twentieth_is_held_back_by_the_text_alone() -> None:
    queries = [query(f"number {i}") for i in range(4000)]
    splits = prepare.split({"train": queries, "test": []})
    # Three standard deviations of a binomial with p = 0.05 and 4000 draws are 41.
    assert abs(len(splits["validation"]) - 200) <= 41
    assert len(splits["train"]) + len(splits["validation"]) == 4000
    shouted = [query(f"NUMBER  {i}", "Shout") for i in range(4000)]
    held_back = prepare.split({"train": shouted, "test": []})["validation"]
    assert [found.key for found in held_back] == [found.key for found in splits["validation"]]


def test_what_is_tested_on_is_not_trained_on() -> None:
    test = [query("play it again"), query("stop")]
    train = [query("Play it  AGAIN"), query("stop it")]
    splits = prepare.split({"train": train, "test": test})
    assert splits["test"] == test
    assert splits["train"] + splits["validation"] == [train[1]]


def test_intents_are_mixed_within_a_file(tmp_path: Path) -> None:
    queries = [query(f"{intent} {i}", intent) for intent in "ab" for i in range(500)]
    prepare.write(queries, tmp_path / "train.jsonl")
    intents = [row["intent"] for row in read_jsonl(tmp_path / "train.jsonl")]
    assert len(intents) == 1000
    # Three standard deviations of a binomial with p = 0.5 and 100 draws are 15.
    assert 35 <= intents[:100].count("b") <= 65


def test_from_the_folders_to_three_files(tmp_path: Path) -> None:
    done = prepared(write_snips(tmp_path / "snips"), tmp_path / "new" / "data")
    assert done.returncode == 0, done.stderr
    rows = {name: read_jsonl(tmp_path / "new/data" / f"{name}.jsonl") for name in prepare.SPLITS}
    assert len(rows["test"]) == 12
    assert len(rows["train"]) + len(rows["validation"]) == 108
    for name in prepare.SPLITS:
        path = tmp_path / "new/data" / f"{name}.jsonl"
        assert f"{len(rows[name]):6} lines in {path}\n" in done.stdout
    assert done.stdout.endswith(
        "     0 queries left out, because they are among those to be tested on\n"
    )
    [found] = [row for row in rows["test"] if row["text"][-1] == "59" and row["intent"] == "Sit"]
    assert found == {
        "text": ["the", "2", "dog", "sat", "59"],
        "intent": "Sit",
        "slots": ["O", "B-animal", "I-animal", "O", "O"],
    }


def test_a_folder_without_queries_is_refused(tmp_path: Path) -> None:
    done = prepared(tmp_path, tmp_path / "data")
    assert done.returncode == 1
    assert done.stderr == (
        f"error: {tmp_path} has to have a folder with a file train_INTENT_full.json for each "
        "intent, but it has none. Give the folder that holds AddToPlaylist, BookRestaurant and so "
        "on.\n"
    )


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    write_snips(tmp_path)
    missing = tmp_path / "Run" / "validate_Run.json"
    missing.unlink()
    done = prepared(tmp_path, tmp_path / "data")
    assert done.returncode == 1
    assert done.stderr == (
        f"error: {tmp_path} has to have two files for each intent, but {missing} is missing. Get "
        "it, or remove the folder of that intent.\n"
    )
    assert not (tmp_path / "data").exists()


@pytest.fixture(name="directory")
def _directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the example in it, as if it were the root of a checkout, and data."""
    copy_example("snips", tmp_path)
    splits = prepare.split(prepare.read(write_snips(tmp_path / "snips")))
    for name, queries in splits.items():
        prepare.write(queries, tmp_path / "data" / f"{name}.jsonl")
    monkeypatch.setenv("SNIPS_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MINILM_DIR", make_tiny_bert(tmp_path / "bert"))
    return tmp_path


def copy_example(name: str, directory: Path) -> None:
    ignored = shutil.ignore_patterns("work")
    shutil.copytree(ROOT / "examples" / name, directory / "examples" / name, ignore=ignored)


def run_commands(config: str, overrides: Dict[str, Any], directory: Path) -> Dict[str, float]:
    """
    Trains and evaluates by the two commands that the README of the examples has for a config, and
    returns what the latter wrote.
    """
    readme = (ROOT / "examples" / "README.md").read_text()
    run = config.replace("/", "/work/")
    train, evaluate = re.findall(rf"^ *allennlp (.*examples/{run}\b.*)$", readme, re.MULTILINE)
    assert f"examples/{config}.jsonnet" in train
    options = ["--overrides", json.dumps(overrides)]
    run_allennlp_here(*arguments(train), *options, directory=directory)
    scores = directory / "scores.json"
    run_allennlp_here(*arguments(evaluate), "--output-file", scores, directory=directory)
    return json.loads(scores.read_text())


def arguments(command: str) -> List[str]:
    return shlex.split(os.path.expandvars(command))


# So few data are soon perfect by one metric, and what counts here is the last epoch.
BY_LOSS = {
    "trainer.patience": None,
    "trainer.validation_metric": "-loss",
    "data_loader.batch_size": 8,
}

# Of a run that is much shorter than the warm-up.
TINY_BILSTM = {
    **BY_LOSS,
    "trainer.learning_rate_scheduler.warmup_steps": 0,
    "trainer.num_epochs": 8,
    "trainer.optimizer.lr": 0.01,
}

# A transformer of few random weights, all of which have to learn.
TINY_TRANSFORMER = {
    **BY_LOSS,
    "model.backbone.dropout": 0.0,
    "trainer.num_epochs": 30,
    "trainer.optimizer.lr": 0.02,
    "trainer.optimizer.parameter_groups": None,
}


def test_the_bilstm_learns_both_heads(directory: Path) -> None:
    scores = run_commands("snips/bilstm", TINY_BILSTM, directory)
    # The words of these queries give all of it away.
    assert scores["intent_accuracy"] == 1.0
    assert scores["slots_f1-measure-overall"] == pytest.approx(1.0)
    assert scores["loss"] == pytest.approx(scores["intent_loss"] + scores["slots_loss"])


def test_the_transformer_trains_both_heads(directory: Path) -> None:
    overrides = {
        "model.heads.intent.seq2vec_encoder.embedding_dim": HIDDEN_SIZE,
        "model.heads.slots.input_dim": HIDDEN_SIZE,
        **TINY_TRANSFORMER,
    }
    scores = run_commands("snips/minilm", overrides, directory)
    # Each of the two intents has half of the queries.
    assert scores["intent_accuracy"] > 0.8
    assert scores["slots_f1-measure-overall"] > 0.6
    assert scores["loss"] == pytest.approx(scores["intent_loss"] + scores["slots_loss"])
