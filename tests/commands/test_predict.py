"""The subcommand `predict` and its option `--format`, in processes of their own."""

import argparse
import json
import re
from pathlib import Path
from typing import Any, List

import pytest
from allennlp.commands.predict import Predict
from allennlp.common.checks import ConfigurationError

from multitask_model import ConlluReader, save_archive
from multitask_model.commands import PredictCommand
from tests.helpers.annotators import make_config, make_model, make_reader
from tests.helpers.commands import PACKAGE, run_allennlp, run_forked
from tests.helpers.conllu_rules import violations
from tests.helpers.messages import exactly
from tests.helpers.pages import run_in

TEXTS = ["Dogs bark!", "He's here, now."]


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an archive and inputs."""
    folder = tmp_path_factory.mktemp("predict")
    config = make_config(folder)
    reader = make_reader(config)
    save_archive(make_model(config, reader), reader, folder / "model.tar.gz")
    lines = [json.dumps({"task": "ewt", "text": text}) + "\n" for text in TEXTS]
    (folder / "lines.jsonl").write_text("".join(lines))
    return folder


def command(*options: str) -> List[str]:
    return ["-m", "multitask_model", "predict", "model.tar.gz", "lines.jsonl", *options]


@pytest.mark.slow
def test_conllu_is_all_that_is_printed(folder: Path) -> None:
    printed = run_in(folder, ["python", *command("--format", "conllu")])
    assert violations(printed) == []
    assert re.findall("^# (?:sent_id|text) = (.*)$", printed, re.M) == [
        "1",
        TEXTS[0],
        "2",
        TEXTS[1],
    ]


@pytest.mark.slow
def test_our_reader_reads_the_output_file(folder: Path) -> None:
    options = ["--format", "conllu", "--output-file", "out.conllu", "--batch-size", "2"]
    run_forked(*command(*options), directory=folder)
    first, second = ConlluReader().read(folder / "out.conllu")
    assert [str(token) for token in first["text"]] == ["Dogs", "bark", "!"]  # type: ignore
    assert len(second["head_indices"].labels) == 7  # type: ignore[attr-defined]


@pytest.mark.slow
def test_the_format_of_the_predictor_is_set_by_allennlp_too(folder: Path) -> None:
    options = ["--predictor-args", '{"format": "conllu"}', "--output-file", "theirs.conllu"]
    arguments = ["predict", "model.tar.gz", "lines.jsonl", *options, *PACKAGE]
    run_allennlp(*arguments, directory=folder)
    assert violations((folder / "theirs.conllu").read_text()) == []


@pytest.mark.slow
def test_the_default_is_json_and_overrides_set_options(folder: Path) -> None:
    overrides = ["-o", '{"predictor": {"outputs": ["tags"]}}', "--output-file", "out.jsonl"]
    run_forked(*command(*overrides), directory=folder)
    found = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    # The heads of an archive are sorted, because AllenNLP's reading of a config sorts its keys.
    expected = ["feats_tags", "lemma_tags", "upos_tags", "xpos_tags"]
    assert [list(line) for line in found] == [expected, expected]


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    PredictCommand().add_subparser(parser.add_subparsers())
    return parser.parse_args(["predict", "model.tar.gz", "lines.jsonl", *arguments])


def options_of(args: argparse.Namespace) -> Any:
    return {name: value for name, value in vars(args).items() if name not in ("func", "format")}


def test_the_other_options_are_those_of_allennlp() -> None:
    parser = argparse.ArgumentParser()
    Predict().add_subparser(parser.add_subparsers())
    theirs = parser.parse_args(["predict", "model.tar.gz", "lines.jsonl", "--silent"])
    ours = parse("--silent")
    assert options_of(ours) == options_of(theirs)
    assert ours.format is None


def test_two_formats_are_an_error() -> None:
    args = parse("--format", "jsonl", "--predictor-args", '{"format": "conllu"}')
    message = (
        "predict takes one format, but got 'conllu' in --predictor-args and --format jsonl. Leave "
        "out one of them."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        args.func(args)


def test_arguments_of_the_predictor_must_be_an_object() -> None:
    args = parse("--format", "jsonl", "--predictor-args", '["tags"]')
    message = (
        "--predictor-args must be a JSON object, but got ['tags']. Write it as '{\"top_k\": 3}'."
    )
    with pytest.raises(ConfigurationError, match=exactly(message)):
        args.func(args)
