"""The example `snips`, with generated queries."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest

from examples.snips import prepare
from examples.snips.prepare import Query
from tests.helpers.example_configs import (
    TINY_BILSTM,
    TINY_TRANSFORMER,
    WITHOUT_PICTURE,
    copy_example,
    run_commands,
    suggested_overrides,
)
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
    """Writes two intents. Their words determine intent and slots and are known to the tiny BERT."""
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


def test_a_slot_has_the_tokens_of_its_chunk() -> None:
    chunks = [
        chunk("Wake me at "),
        chunk("7:30 a.m.", "time"),
        chunk("in", "where"),  # no space between it and the previous slot
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


def test_utf8_with_and_without_surrogate_pairs(capsys: pytest.CaptureFixture[str]) -> None:
    text = "café 🍕"
    surrogates = "café \ud83c\udf55".encode("utf-8", "surrogatepass")
    assert surrogates != text.encode()
    assert prepare.decode(text.encode(), "file") == text
    assert prepare.decode(surrogates, "file") == text
    assert capsys.readouterr() == ("", "")


def test_latin_1_is_decoded_and_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert prepare.decode("café au lait".encode("latin-1"), "Order.json") == "café au lait"
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "Order.json is not UTF-8 (invalid continuation byte): decoded as Latin-1\n"
    )


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
def test_a_file_of_another_format_is_rejected(content: str, reason: str) -> None:
    message = (
        r'^A\.json must be a JSON object {INTENT: \[{"data": \[\.\.\.\]}, \.\.\.\]}, but '
        rf"reading it failed: {reason}\(.*\)\. Download the file again\.$"
    )
    with pytest.raises(ValueError, match=message):
        prepare.parse(content, "A.json")


@pytest.mark.parametrize(
    ("chunks", "message"),
    [
        (
            [{"entity": "x"}],
            'a query must be a list of {"text": ...} with an optional "entity", but got '
            "[{'entity': 'x'}]. Correct or remove it.",
        ),
        (
            [{"text": 1}],
            'a query must be a list of {"text": ...} with an optional "entity", but got '
            "[{'text': 1}]. Correct or remove it.",
        ),
        (
            [chunk("a "), chunk(" ", "x")],
            "a slot must have at least one token, but got ' ' for 'x'. Correct or remove it.",
        ),
        ([chunk(" ")], "a query must have at least one token, but got ' '. Remove it."),
        ([], "a query must have at least one token, but got ''. Remove it."),
    ],
)
def test_a_malformed_query_is_reported(chunks: Any, message: str) -> None:
    content = content_of("A", [chunk("fine")], chunks)
    with pytest.raises(ValueError, match=f"^{re.escape(f'A.json, query 2: {message}')}$"):
        prepare.parse(content, "A.json")


def test_the_text_alone_selects_a_twentieth_for_validation() -> None:
    queries = [query(f"number {i}") for i in range(4000)]
    splits = prepare.split({"train": queries, "test": []})
    # Three standard deviations of a binomial with p = 0.05 and n = 4000 are 41.
    assert abs(len(splits["validation"]) - 200) <= 41
    assert len(splits["train"]) + len(splits["validation"]) == 4000
    shouted = [query(f"NUMBER  {i}", "Shout") for i in range(4000)]
    validation = prepare.split({"train": shouted, "test": []})["validation"]
    assert [found.key for found in validation] == [found.key for found in splits["validation"]]


def test_test_queries_are_removed_from_the_training_queries() -> None:
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
    # Three standard deviations of a binomial with p = 0.5 and n = 100 are 15.
    assert 35 <= intents[:100].count("b") <= 65


@pytest.mark.slow
def test_the_script_writes_three_files(tmp_path: Path) -> None:
    done = prepared(write_snips(tmp_path / "snips"), tmp_path / "new" / "data")
    assert done.returncode == 0, done.stderr
    rows = {name: read_jsonl(tmp_path / "new/data" / f"{name}.jsonl") for name in prepare.SPLITS}
    assert len(rows["test"]) == 12
    assert len(rows["train"]) + len(rows["validation"]) == 108
    for name in prepare.SPLITS:
        path = tmp_path / "new/data" / f"{name}.jsonl"
        assert f"{len(rows[name]):6} lines in {path}\n" in done.stdout
    assert done.stdout.endswith(
        "     0 training queries left out, because they are in the test set\n"
    )
    [found] = [row for row in rows["test"] if row["text"][-1] == "59" and row["intent"] == "Sit"]
    assert found == {
        "text": ["the", "2", "dog", "sat", "59"],
        "intent": "Sit",
        "slots": ["O", "B-animal", "I-animal", "O", "O"],
    }


@pytest.mark.slow
def test_a_folder_without_queries_is_rejected(tmp_path: Path) -> None:
    done = prepared(tmp_path, tmp_path / "data")
    assert done.returncode == 1
    assert done.stderr == (
        f"error: {tmp_path} must have a folder with a file train_INTENT_full.json for each intent, "
        "but none was found. Choose the folder with AddToPlaylist, BookRestaurant and so on.\n"
    )


@pytest.mark.slow
def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    write_snips(tmp_path)
    missing = tmp_path / "Run" / "validate_Run.json"
    missing.unlink()
    done = prepared(tmp_path, tmp_path / "data")
    assert done.returncode == 1
    assert done.stderr == (
        f"error: {tmp_path} must have two files for each intent, but {missing} is missing. "
        "Download it, or remove the folder of its intent.\n"
    )
    assert not (tmp_path / "data").exists()


@pytest.fixture(name="directory")
def _directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a copy of the example and generated data."""
    copy_example("snips", tmp_path)
    splits = prepare.split(prepare.read(write_snips(tmp_path / "snips")))
    for name, queries in splits.items():
        prepare.write(queries, tmp_path / "data" / f"{name}.jsonl")
    monkeypatch.setenv("SNIPS_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MINILM_DIR", make_tiny_bert(tmp_path / "bert"))
    return tmp_path


@pytest.mark.slow
def test_the_bilstm_learns_both_heads(directory: Path) -> None:
    scores = run_commands("snips/bilstm", TINY_BILSTM, directory)
    # The words of the queries determine intent and slots.
    assert scores["intent_accuracy"] == 1.0
    assert scores["slots_f1-measure-overall"] == pytest.approx(1.0)
    assert scores["loss"] == pytest.approx(scores["intent_loss"] + scores["slots_loss"])


@pytest.mark.slow
def test_the_transformer_trains_both_heads(directory: Path) -> None:
    overrides = {
        "model.heads.intent.seq2vec_encoder.embedding_dim": HIDDEN_SIZE,
        "model.heads.slots.input_dim": HIDDEN_SIZE,
        **TINY_TRANSFORMER,
        **WITHOUT_PICTURE,
    }
    scores = run_commands("snips/minilm", overrides, directory)
    # Each of the two intents has half of the queries, so guessing reaches 0.5.
    assert scores["intent_accuracy"] > 0.8
    assert scores["slots_f1-measure-overall"] > 0.6
    assert scores["loss"] == pytest.approx(scores["intent_loss"] + scores["slots_loss"])


@pytest.mark.slow
def test_slots_without_a_crf_as_the_readme_suggests(directory: Path) -> None:
    overrides = {**TINY_BILSTM, "trainer.num_epochs": 1, **suggested_overrides("snips")}
    scores = run_commands("snips/bilstm", overrides, directory)
    assert "slots_f1-measure-overall" in scores
    config = json.loads((directory / "examples/snips/work/bilstm/config.json").read_text())
    assert config["model"]["heads"]["slots"]["type"] == "tagger"
