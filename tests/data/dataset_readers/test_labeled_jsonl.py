"""The `labeled_jsonl` reader: what becomes of each kind of label, and of malformed lines."""

import json
import logging
import re
from pathlib import Path
from typing import Any, Dict, List

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, DatasetReader, Instance, Vocabulary
from allennlp.data.dataset_readers.dataset_reader import WorkerInfo
from allennlp.data.fields import TextField
from allennlp.data.token_indexers import TokenCharactersIndexer
from allennlp.data.tokenizers import LettersDigitsTokenizer, WhitespaceTokenizer

from multitask_model.data.dataset_readers import labeled_jsonl
from multitask_model.data.dataset_readers.labeled_jsonl import LabeledJsonlReader

KINDS = {"polarity": "class", "stars": "number", "topics": "classes", "pos": "tags"}
LINES: List[Any] = [
    {
        "text": "so bad",
        "polarity": "negative",
        "stars": 1,
        "topics": [],
        "pos": ["ADV", "ADJ"],
        "id": 7,
    },
    {
        "text": ["what", "a", "day"],
        "polarity": "positive",
        "stars": 4.5,
        "topics": ["weather", "time"],
        "pos": ["PRON", "DET", "NOUN"],
    },
    {"text": "a day", "polarity": None, "stars": -0.25},
]


def reader_of(labels: Dict[str, str], **kwargs: Any) -> LabeledJsonlReader:
    return LabeledJsonlReader(labels, tokenizer=WhitespaceTokenizer(), **kwargs)


def write(folder: Path, lines: List[Any]) -> Path:
    path = folder / "texts.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def texts(instances: List[Instance]) -> List[str]:
    fields: List[Any] = [instance["text"] for instance in instances]
    return [" ".join(map(str, field.tokens)) for field in fields]


@pytest.fixture
def instances(tmp_path: Path) -> List[Instance]:
    return list(reader_of(KINDS).read(write(tmp_path, LINES)))


def test_a_field_for_each_label_that_a_line_has(instances: List[Instance]) -> None:
    assert [list(instance.fields) for instance in instances] == [
        ["text", "polarity", "stars", "topics", "pos"],
        ["text", "polarity", "stars", "topics", "pos"],
        ["text", "stars"],
    ]


def test_a_namespace_for_each_label(instances: List[Instance]) -> None:
    vocab = Vocabulary.from_instances(instances)
    labels = {
        name: set(vocab.get_token_to_index_vocabulary(name))
        for name in vocab.get_namespaces()
        if name != "tokens"
    }
    assert labels == {
        "polarity_labels": {"negative", "positive"},
        "topics_labels": {"weather", "time"},
        "pos_labels": {"ADV", "ADJ", "PRON", "DET", "NOUN"},
    }


def test_the_tensors_of_a_batch(instances: List[Instance]) -> None:
    vocab = Vocabulary.from_instances(instances)
    batch = Batch(instances[:2])
    batch.index_instances(vocab)
    tensors: Dict[str, Any] = batch.as_tensor_dict()

    def index(label: str, namespace: str) -> int:
        return vocab.get_token_index(label, namespace)

    # (B, T), padded with 0
    words = [
        [index("so", "tokens"), index("bad", "tokens"), 0],
        [index("what", "tokens"), index("a", "tokens"), index("day", "tokens")],
    ]
    tags = [
        [index("ADV", "pos_labels"), index("ADJ", "pos_labels"), 0],
        [index(tag, "pos_labels") for tag in ("PRON", "DET", "NOUN")],
    ]
    polarity = [index(label, "polarity_labels") for label in ("negative", "positive")]
    assert tensors["text"]["tokens"]["tokens"].tolist() == words
    assert tensors["pos"].tolist() == tags
    assert tensors["polarity"].tolist() == polarity  # (B,)
    assert tensors["topics"].tolist() == [[0, 0], [1, 1]]  # (B, C)
    assert tensors["stars"].tolist() == [1.0, 4.5]  # (B,)
    assert tensors["stars"].dtype == torch.float


def test_a_class_that_is_a_whole_number_stands_for_its_digits() -> None:
    reader = reader_of({"level": "class", "ids": "classes", "bits": "tags"})
    fields = reader.text_to_instance("a b", level=0, ids=[3, "x"], bits=[1, 0]).fields
    assert fields["level"].label == "0"  # type: ignore[attr-defined]
    assert fields["ids"].labels == ["3", "x"]  # type: ignore[attr-defined]
    assert fields["bits"].labels == ["1", "0"]  # type: ignore[attr-defined]


def test_readers_that_share_a_key_share_its_namespace() -> None:
    readers = [
        reader_of({"polarity": "class"}),
        reader_of({"polarity": "class", "stars": "number"}),
    ]
    labels = ["good", "bad"]
    instances = [r.text_to_instance("a", polarity=label) for r, label in zip(readers, labels)]
    for reader, instance in zip(readers, instances):
        reader.apply_token_indexers(instance)
    vocab = Vocabulary.from_instances(instances)
    assert set(vocab.get_token_to_index_vocabulary("polarity_labels")) == {"good", "bad"}


def test_from_params(tmp_path: Path) -> None:
    params = {
        "type": "labeled_jsonl",
        "labels": {"polarity": "class"},
        "tokenizer": "letters_digits",
        "token_indexers": {"chars": {"type": "characters", "min_padding_length": 1}},
        "text_key": "sentence",
        "max_tokens": 2,
        "max_instances": 1,
    }
    reader = DatasetReader.from_params(Params(params))
    assert isinstance(reader, LabeledJsonlReader)
    path = write(tmp_path, [{"sentence": "so-so day", "polarity": "neutral"}] * 2)
    (instance,) = reader.read(path)
    assert texts([instance]) == ["so -"]
    text, polarity = instance["text"], instance["polarity"]
    assert isinstance(text, TextField)
    assert isinstance(text.token_indexers["chars"], TokenCharactersIndexer)
    assert polarity.label == "neutral"  # type: ignore[attr-defined]


def test_the_default_tokenizer_is_spacys_and_not_made_for_lists_of_tokens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = []

    def make() -> LettersDigitsTokenizer:  # stands for the one that needs a language model
        made.append("tokenizer")
        return LettersDigitsTokenizer()

    monkeypatch.setattr(labeled_jsonl, "SpacyTokenizer", make)
    reader = LabeledJsonlReader({})
    assert texts([reader.text_to_instance(["so-so", "day"])]) == ["so-so day"]
    assert made == []
    assert texts([reader.text_to_instance("so-so"), reader.text_to_instance("no!")]) == [
        "so - so",
        "no !",
    ]
    assert made == ["tokenizer"]


def test_tokens_are_cut_off_with_their_tags() -> None:
    reader = reader_of({"pos": "tags"}, max_tokens=2)
    instance = reader.text_to_instance("what a day", pos=["PRON", "DET", "NOUN"])
    assert texts([instance]) == ["what a"]
    assert instance["pos"].labels == ["PRON", "DET"]  # type: ignore[attr-defined]
    assert instance["pos"].sequence_field is instance["text"]  # type: ignore[attr-defined]


def test_an_instance_for_prediction_needs_only_the_text() -> None:
    instance = reader_of(KINDS).text_to_instance(text="so bad", id=7)
    assert list(instance.fields) == ["text"]


def test_what_is_handed_in_is_not_changed() -> None:
    line: Dict[str, Any] = json.loads(json.dumps(LINES[1]))
    instance = reader_of(KINDS, max_tokens=1).text_to_instance(**line)
    instance["topics"].labels.append("more")  # type: ignore[attr-defined]
    assert line == LINES[1]


def test_blank_lines_hold_nothing_but_count(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text('\n{"text": "a"}\n  \n\n{"text": "b"}\n{"text": 3}\n')
    assert texts(list(reader_of({}, max_instances=2).read(path))) == ["a", "b"]
    with pytest.raises(ValueError, match="^" + re.escape(f"{path}, line 6: A text must be")):
        list(reader_of({}).read(path))


def test_a_byte_order_mark_and_foreign_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_bytes('\ufeff{"text": "schön"}\r\n{"text": "no\u2028break"}'.encode())
    assert texts(list(reader_of({}).read(path))) == ["schön", "no break"]


@pytest.mark.parametrize(("worker", "expected"), [(0, ["0", "2", "4"]), (1, ["1", "3"])])
def test_workers_share_the_lines(tmp_path: Path, worker: int, expected: List[str]) -> None:
    path = write(tmp_path, [{"text": str(i)} for i in range(5)])
    reader = reader_of({})
    reader._set_worker_info(WorkerInfo(num_workers=2, id=worker))
    assert texts(list(reader.read(path))) == expected


def test_workers_apply_no_token_indexers(tmp_path: Path) -> None:
    reader = reader_of({})
    reader._set_worker_info(WorkerInfo(num_workers=1, id=0))
    (instance,) = reader.read(write(tmp_path, [{"text": "a"}]))
    with pytest.raises(ValueError, match="token_indexers have not been set"):
        instance["text"].token_indexers  # type: ignore[attr-defined]  # noqa: B018
    reader.apply_token_indexers(instance)
    assert list(instance["text"].token_indexers) == ["tokens"]  # type: ignore[attr-defined]


def test_labels_that_no_line_has(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path, [{"text": "a", "stars": 1, "polarity": None}, {"text": "b"}])
    with caplog.at_level(logging.WARNING):
        list(reader_of({"stars": "number", "polarty": "class", "polarity": "class"}).read(path))
    assert caplog.messages == [
        f"No line read from {path} has the labels ['polarity', 'polarty']. If it should, compare "
        "the keys of its lines with the reader's labels."
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            b'{"text": "a"',
            "A line must be a JSON object, but this one is not JSON (Expecting ',' delimiter at "
            'character 13): \'{"text": "a"\'. Correct or remove it.',
        ),
        (
            b'{"text": "\xff"}',
            "A line must be a JSON object, but this one is not JSON ('utf-8' codec can't decode "
            'byte 0xff in position 10: invalid start byte): \'{"text": "\ufffd"}\'. Correct or '
            "remove it.",
        ),
        (
            b'["a", "b"]',
            "A line must be a JSON object, but this one is ['a', 'b'] (2 items). Write it as "
            '{"text": ...}.',
        ),
        (
            b'{"txt": "a", "polarity": "good"}',
            "A line must have a text under the key 'text', but the keys of this one are ['txt', "
            "'polarity']. Did you mean 'txt'? Add it, or set the reader's text_key.",
        ),
        (
            b'{"text": null}',
            "A text must be a string, or a list of strings that are not empty, and have at least "
            "one token, but this one is None. Correct it, or leave it out of the data.",
        ),
    ],
)
def test_lines_that_are_malformed(tmp_path: Path, line: bytes, message: str) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_bytes(b'{"text": "fine"}\n' + line + b"\n")
    with pytest.raises(ValueError, match=f"^{re.escape(f'{path}, line 2: {message}')}$"):
        list(reader_of({}).read(path))


@pytest.mark.parametrize("text", ["", " ", [], 3, ["a", ""], ["a", 1], {"a": "b"}])
def test_texts_without_tokens(text: Any) -> None:
    shown = f"{text!r} ({len(text)} items)" if isinstance(text, list) else repr(text)
    message = (
        "A text must be a string, or a list of strings that are not empty, and have at least one "
        f"token, but this one is {shown}. Correct it, or leave it out of the data."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        reader_of({}).text_to_instance(text)


ONE = "a whole number or a string that is not empty"
TAGS = f"a list of 2 tags, one for each token of the text, each {ONE}"


@pytest.mark.parametrize(
    ("key", "value", "required", "shown"),
    [
        ("polarity", "", ONE, "''"),
        ("polarity", True, ONE, "True"),
        ("polarity", 1.0, ONE, "1.0"),
        ("polarity", ["good"], ONE, "['good'] (1 items)"),
        ("stars", "4", "a finite number", "'4'"),
        ("stars", False, "a finite number", "False"),
        ("stars", float("nan"), "a finite number", "nan"),
        ("stars", float("inf"), "a finite number", "inf"),
        ("stars", -(10**39), "a finite number", f"-1{'0' * 39}"),
        ("topics", "weather", f"a list, each item {ONE}", "'weather'"),
        ("topics", ["weather", None], f"a list, each item {ONE}", "['weather', None] (2 items)"),
        ("pos", "ADJ", TAGS, "'ADJ'"),
        ("pos", ["ADJ"], TAGS, "['ADJ'] (1 items)"),
        ("pos", ["ADJ"] * 16, TAGS, "['ADJ'" + ", 'ADJ'" * 10 + ", 'A... (16 items)"),
        ("pos", ["ADJ", {}], TAGS, "['ADJ', {}] (2 items)"),
    ],
)
def test_labels_of_the_wrong_kind(
    tmp_path: Path, key: str, value: Any, required: str, shown: str
) -> None:
    path = write(tmp_path, [{"text": "so bad"}, {"text": "so bad", key: value}])
    message = (
        f"{path}, line 2: The label {key!r} must be {required}, but it is {shown}. Correct it, "
        "leave it out, or change its kind in the reader's labels."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        list(reader_of(KINDS).read(path))


def test_an_unknown_kind() -> None:
    message = (
        "labels must name a kind of label for the key 'polarity', but got 'clas'. Did you mean "
        "'class'? Known names: ['class', 'number', 'classes', 'tags']."
    )
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        reader_of({"polarity": "clas"})


@pytest.mark.parametrize("key", ["text", "task", "heads", "sentence"])
def test_keys_that_are_taken(key: str) -> None:
    message = (
        "The key of a label is the name of its field, which must not be that of another field, "
        f"but labels has {key!r}. Give it another key in the data and in labels: neither one of "
        "['text', 'task', 'heads'] nor the text_key."
    )
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        reader_of({key: "class"}, text_key="sentence")


def test_no_tokens_left() -> None:
    message = "max_tokens must leave at least 1 token of a text, but it is 0. Leave it out for"
    with pytest.raises(ConfigurationError, match=message):
        reader_of({}, max_tokens=0)


def test_heads_that_serve_a_line(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text('{"text": ["a"], "heads": ["polarity"]}\n{"text": ["b"]}\n')
    first, second = LabeledJsonlReader({}).read(str(path))
    field: Any = first["heads"]
    assert field.metadata == ["polarity"]
    assert "heads" not in second.fields
    path.write_text('{"text": ["a"], "heads": "polarity"}\n')
    with pytest.raises(ValueError, match="line 1: The key 'heads' must have a list of the names"):
        list(LabeledJsonlReader({}).read(str(path)))
