"""The example `vader`, with generated texts instead of the download."""

import io
import json
import re
import subprocess
import sys
import tarfile
from itertools import zip_longest
from pathlib import Path
from typing import Any, Dict, List

import pytest
from allennlp.common import Params
from allennlp.data.data_loaders.multitask_epoch_sampler import MultiTaskEpochSampler

from examples.vader import fetch
from examples.vader.fetch import Row
from multitask_model.data.samplers import ProportionalSampler
from tests.helpers.example_configs import suggested_overrides
from tests.helpers.forked import forked_python

VADER = Path(fetch.__file__).parent
SDIST = "vaderSentiment-3.3.2.tar.gz"
WORDS = {"-2.5": "awful", "0.1": "plain", "2.5": "lovely"}


def tar_of(members: Dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return content.getvalue()


def write_sdist(path: Path, files: Dict[str, str]) -> None:
    inner = tar_of({f"hutto_ICWSM_2014/{name}": text.encode() for name, text in files.items()})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tar_of({fetch.INNER_ARCHIVE: inner}))


def rated_texts(kind: str) -> str:
    """Thirty lines in the format of the rating files, with their line ends."""
    ratings = list(WORDS) * 10
    lines = [f"{i}_1\t{r}\tA {WORDS[r]} {kind}, number {i}" for i, r in enumerate(ratings)]
    return "\r\n".join(lines)


def read_jsonl(path: Path) -> List[Dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def run_script(
    name: str, *arguments: str, python: str = sys.executable
) -> "subprocess.CompletedProcess[str]":
    command = [python, str(VADER / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_document_is_parsed_from_the_id() -> None:
    content = '12_3\t-1.5\tHe said "no".\r\n7\t3.25\t Schön & gut \r\n'
    assert fetch.parse("tweets", "tweets.txt", content) == [
        Row("tweets", "12", -1.5, 'He said "no".'),
        Row("tweets", "7", 3.25, "Schön & gut"),
    ]


@pytest.mark.parametrize(
    "line", ["2\t1.0", "2\t1.0\ta\tb", "2\tgood\ta", "2\t4.1\ta", "2\tnan\ta", "2\t1.0\t ", ""]
)
def test_a_malformed_line_is_reported(line: str) -> None:
    message = (
        "tweets.txt, line 2: a line must be an id, a rating from -4 to 4 and a text, separated by "
        f"tabs, but got {line!r}. Correct or remove the line."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        fetch.parse("tweets", "tweets.txt", f"1\t0\tfine\n{line}\n3\t0\tfine\n")


def test_polarity_is_neutral_up_to_half_a_point() -> None:
    expected = {-4: "negative", -0.51: "negative", -0.5: "neutral", 0: "neutral", 0.5: "neutral"}
    expected.update({0.51: "positive", 4: "positive"})
    rows = {rating: Row("tweets", "1", rating, "text") for rating in expected}
    assert {rating: fetch.polarity_of(row) for rating, row in rows.items()} == expected


def test_duplicates_differ_in_case_spacing_or_punctuation() -> None:
    texts = ["Oh no!", "oh  no", "OH, NO.", "Oh no no"]
    rows = [Row("tweets", str(i), 0.0, text) for i, text in enumerate(texts)]
    assert fetch.without_duplicates(rows) == [rows[0], rows[3]]


def test_a_document_is_in_one_split_and_a_tenth_of_documents_in_validation_and_test() -> None:
    documents = [str(i) for i in range(5000)]
    splits = [fetch.split_of(Row("editorials", d, 0.0, "first sentence")) for d in documents]
    assert splits == [fetch.split_of(Row("editorials", d, 1.0, "second")) for d in documents]
    for name, expected in (("train", 4000), ("validation", 500), ("test", 500)):
        # Three standard deviations of a binomial with p = 0.8 are 85, with p = 0.1 they are 64.
        assert abs(splits.count(name) - expected) <= (85 if name == "train" else 64)


def test_each_source_and_split_has_a_file_with_all_labels(tmp_path: Path) -> None:
    sources = {"tweets": (2.0, "positive"), "editorials": (-2.0, "negative")}
    rows = [Row(s, str(i), sources[s][0], f"{s} {i}") for s in sources for i in range(40)]
    fetch.write(rows, tmp_path)
    for source, (_, polarity) in sources.items():
        for split in ("train", "validation", "test"):
            texts = {r.text for r in rows if r.source == source and fetch.split_of(r) == split}
            found = read_jsonl(tmp_path / f"{source}_{split}.jsonl")
            assert len(found) == len(texts) > 0
            labels = {"polarity": polarity, "intensity": sources[source][0], "source": source}
            assert all(line == {"text": line["text"], **labels} for line in found)
            assert {line["text"] for line in found} == texts


def test_documents_are_mixed_within_a_file(tmp_path: Path) -> None:
    rows = [Row("tweets", d, 0.0, f"{d} {i}") for d in ("b", "c") for i in range(500)]
    assert {fetch.split_of(row) for row in rows} == {"train"}
    fetch.write(rows, tmp_path)
    documents = [line["text"][0] for line in read_jsonl(tmp_path / "tweets_train.jsonl")]
    # Three standard deviations of a binomial with p = 0.5 and n = 100 are 15.
    assert 35 <= documents[:100].count("b") <= 65


def test_an_existing_archive_is_not_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(subprocess, "run")
    write_sdist(tmp_path / SDIST, {})
    assert fetch.download(tmp_path) == tmp_path / SDIST


@pytest.mark.slow
def test_a_failed_download_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    done = run_script("fetch.py", "--work-dir", str(tmp_path))
    assert done.returncode == 1
    assert re.fullmatch(
        "error: pip must download the source distribution of vaderSentiment==3.3.2, but it exited "
        "with code 1:\n.*No matching distribution found.*\nCheck pip's connection to a package "
        rf"index, or copy the \.tar\.gz to {re.escape(str(tmp_path))}/download\.\n",
        done.stderr,
        re.DOTALL,
    )


# The ids are given because a compressed archive has its creation time in it.
@pytest.mark.parametrize(
    "content", [b"not an archive", tar_of({"other": b""})], ids=["no archive", "other files"]
)
def test_another_archive_is_rejected(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / SDIST
    path.write_bytes(content)
    message = (
        f"{path} must be the source distribution of vaderSentiment==3.3.2 with the file "
        f"{fetch.INNER_ARCHIVE}, but reading it failed: "
    )
    with pytest.raises(RuntimeError, match=re.escape(message)) as error:
        fetch.unpack(path)
    assert str(error.value).endswith(f"Remove {path} and run this script again.")


@pytest.mark.slow
def test_the_demo_prints_scores_and_predictions(tmp_path: Path) -> None:
    files = {file: rated_texts(source) for source, file in fetch.FILES.items()}
    write_sdist(tmp_path / "download" / SDIST, files)
    overrides: Dict[str, Any] = {"trainer.num_epochs": 8, "trainer.optimizer.lr": 0.05}
    # One head's accuracy would choose the first epoch in which that head has learned.
    overrides["trainer.validation_metric"] = "-loss"
    overrides["data_loader.scheduler.batch_size"] = 16
    overrides["data_loader.instances_per_epoch"] = 96  # nearly all instances
    arguments = ["--work-dir", str(tmp_path), "--overrides", json.dumps(overrides)]
    done = run_script("demo.py", *arguments, python=forked_python())
    assert done.returncode == 0, done.stderr

    for command in ("fetch.py", "allennlp train", "allennlp evaluate", "allennlp predict"):
        assert re.search(rf"^\$ .*{command}", done.stdout, re.MULTILINE), command
    epochs = re.findall(
        r"^(./8) 100%\|#{10}\| 6/6 .*?/s intensity [\d.]+ polarity", done.stdout, re.M
    )
    assert epochs == [f"{i}/8" for i in range(1, 9)]
    assert check_scores(lines_after("Accuracy", done.stdout)) == ["polarity", "source"]
    assert check_scores(lines_after("Polarity", done.stdout)) == list(fetch.FILES)
    check_intensity(lines_after("Intensity", done.stdout))
    check_predictions(lines_after("Predictions", done.stdout))


def lines_after(heading: str, printed: str) -> List[str]:
    """The lines of a table, without its title and column names."""
    return printed.split(heading)[1].split("\n\n")[0].splitlines()[2:]


def check_scores(lines: List[str]) -> List[str]:
    """Checks the scores of a table and returns its first column."""
    for line in lines:
        _, texts, accuracy, baseline, _ = line.split()
        assert int(texts) > 0
        assert float(accuracy) == 1.0  # one word of each text determines the label
        assert float(baseline) < 0.7
    return [line.split()[0] for line in lines]


def check_intensity(lines: List[str]) -> None:
    (line,) = lines
    name, texts, error, pearson, baseline = line.split()
    assert name == "intensity"
    assert int(texts) > 0
    assert float(error) < float(baseline)
    assert float(pearson) > 0.9


def check_predictions(lines: List[str]) -> None:
    inputs = read_jsonl(VADER / "predict.jsonl")
    assert {given["task"] for given in inputs} == set(fetch.FILES)
    for given, line in zip_longest(inputs, lines):
        polarity, first, source, second, intensity, text = line.split(maxsplit=5)
        assert text == given["text"]
        assert polarity in {"negative", "neutral", "positive"}
        assert source in fetch.FILES
        assert 0 < float(first) <= 1
        assert 0 < float(second) <= 1
        assert -5 < float(intensity) < 5


def test_the_sampler_that_the_readme_suggests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", "data")
    overrides = json.dumps(suggested_overrides("vader"))
    config = Params.from_file(str(VADER / "config.jsonnet"), overrides)
    sampler = MultiTaskEpochSampler.from_params(config["data_loader"]["sampler"])
    assert type(sampler) is ProportionalSampler


@pytest.mark.slow
def test_a_failed_step_ends_the_demo(tmp_path: Path) -> None:
    write_sdist(tmp_path / "download" / SDIST, {})
    done = run_script("demo.py", "--work-dir", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith(
        "error: every step must succeed, but 'fetch' exited with code 1:\n"
    )
    assert "tweets_GroundTruth.txt" in done.stderr
    assert done.stderr.endswith(f"See the full log in {tmp_path / 'fetch.log'}.\n")
    assert "allennlp train" not in done.stdout
