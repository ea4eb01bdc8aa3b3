"""What the readers of sentences have in common: tokens and token indexers."""

import logging
import re
from pathlib import Path
from typing import Any, Union

import pytest
import spacy
from allennlp.common import Params
from allennlp.data import DatasetReader, Tokenizer
from allennlp.data.dataset_readers.dataset_reader import WorkerInfo
from allennlp.data.tokenizers import WhitespaceTokenizer, spacy_tokenizer

from multitask_model import ConlluReader, LabeledJsonlReader
from multitask_model.compat.allennlp_internals import set_worker_info
from tests.helpers.sentences import FIRST, sentences_of, to_conllu

SentenceReader = Union[ConlluReader, LabeledJsonlReader]


def make_reader(name: str, tokenizer: Tokenizer) -> SentenceReader:
    if name == "conllu":
        return ConlluReader(tokenizer=tokenizer)
    return LabeledJsonlReader({}, tokenizer=tokenizer)


@pytest.fixture(params=["conllu", "labeled_jsonl"])
def reader(request: pytest.FixtureRequest) -> SentenceReader:
    """A reader with the default tokenizer."""
    return ConlluReader() if request.param == "conllu" else LabeledJsonlReader({})


@pytest.fixture
def path(reader: SentenceReader, tmp_path: Path) -> Path:
    """A file with one instance."""
    path = tmp_path / "file"
    is_conllu = isinstance(reader, ConlluReader)
    path.write_text(to_conllu(FIRST) if is_conllu else '{"text": ["a"]}')
    return path


def test_the_default_tokenizer_splits_words_and_punctuation(reader: SentenceReader) -> None:
    assert sentences_of([reader.text_to_instance(text=text) for text in ("so-so", "no!")]) == [
        "so - so",
        "no !",
    ]
    assert sentences_of([reader.text_to_instance(["so-so", "day"])]) == ["so-so day"]


def test_spacy_tokenizes_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = []

    def load(model: str, *options: object) -> Any:  # instead of a model that must be installed
        loaded.append(model)
        return spacy.blank("en")

    monkeypatch.setattr(spacy_tokenizer, "get_spacy_model", load)
    params = {"type": "labeled_jsonl", "labels": {}, "tokenizer": "spacy"}
    reader = DatasetReader.from_params(Params(params))
    assert sentences_of([reader.text_to_instance("I can't!")]) == ["I ca n't !"]
    assert loaded == ["en_core_web_sm"]


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_an_empty_file_is_not_warned_about(
    content: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "file"
    path.write_text(content)
    with caplog.at_level(logging.WARNING, logger="multitask_model"):
        for reader in (ConlluReader(), LabeledJsonlReader({"polarity": "class"})):
            assert list(reader.read(path)) == []
    assert caplog.messages == []


@pytest.mark.parametrize("name", ["conllu", "labeled_jsonl"])
@pytest.mark.parametrize("text", ["", " ", [], 3, ["a", ""], ["a", 1], {"a": "b"}])
def test_a_text_without_tokens_is_an_error(name: str, text: Any) -> None:
    shown = f"{text!r} ({len(text)} items)" if isinstance(text, list) else repr(text)
    message = (
        "The text must be a string or a list of non-empty strings, with at least one token, but "
        f"got {shown}. Correct it, or remove it from the data."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make_reader(name, WhitespaceTokenizer()).text_to_instance(text)


def test_workers_do_not_apply_token_indexers(reader: SentenceReader, path: Path) -> None:
    set_worker_info(reader, WorkerInfo(num_workers=1, id=0))
    (instance,) = reader.read(path)
    with pytest.raises(ValueError, match="token_indexers have not been set"):
        instance["text"].token_indexers  # type: ignore[attr-defined]  # noqa: B018
    reader.apply_token_indexers(instance)
    assert list(instance["text"].token_indexers) == ["tokens"]  # type: ignore[attr-defined]
