"""The `labeled_jsonl` reader: the fields, namespaces and tensors of lines, and its parameters."""

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
from allennlp.data.tokenizers import WhitespaceTokenizer

from multitask_model.compat.allennlp_internals import set_worker_info
from multitask_model.data import LabeledJsonlReader
from tests.helpers.sentences import labels_of, sentences_of

TYPES = {"polarity": "class", "stars": "number", "topics": "classes", "pos": "tags"}
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


def make_reader(labels: Dict[str, str], **kwargs: Any) -> LabeledJsonlReader:
    return LabeledJsonlReader(labels, tokenizer=WhitespaceTokenizer(), **kwargs)


def write(folder: Path, lines: List[Any]) -> Path:
    path = folder / "lines.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def instances(tmp_path: Path) -> List[Instance]:
    return list(make_reader(TYPES).read(write(tmp_path, LINES)))


def test_an_instance_has_a_field_for_each_label_of_its_line(instances: List[Instance]) -> None:
    assert [list(instance.fields) for instance in instances] == [
        ["text", "polarity", "stars", "topics", "pos"],
        ["text", "polarity", "stars", "topics", "pos"],
        ["text", "stars"],
    ]


def test_each_label_has_a_namespace(instances: List[Instance]) -> None:
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


def test_fields_become_padded_tensors(instances: List[Instance]) -> None:
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


def test_readers_with_the_same_key_use_the_same_namespace() -> None:
    readers = [
        make_reader({"polarity": "class"}),
        make_reader({"polarity": "class", "stars": "number"}),
    ]
    labels = ["good", "bad"]
    instances = [r.text_to_instance("a", polarity=label) for r, label in zip(readers, labels)]
    for reader, instance in zip(readers, instances):
        reader.apply_token_indexers(instance)
    vocab = Vocabulary.from_instances(instances)
    assert set(vocab.get_token_to_index_vocabulary("polarity_labels")) == {"good", "bad"}


def test_the_reader_can_be_built_from_params(tmp_path: Path) -> None:
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
    assert sentences_of([instance]) == ["so -"]
    text = instance["text"]
    assert isinstance(text, TextField)
    assert isinstance(text.token_indexers["chars"], TokenCharactersIndexer)
    assert labels_of(instance, "polarity") == "neutral"


def test_tokens_are_truncated_with_their_tags() -> None:
    reader = make_reader({"pos": "tags"}, max_tokens=2)
    instance = reader.text_to_instance("what a day", pos=["PRON", "DET", "NOUN"])
    assert sentences_of([instance]) == ["what a"]
    assert labels_of(instance, "pos") == ["PRON", "DET"]
    assert instance["pos"].sequence_field is instance["text"]  # type: ignore[attr-defined]


def test_text_to_instance_requires_only_the_text() -> None:
    instance = make_reader(TYPES).text_to_instance(text="so bad", id=7)
    assert list(instance.fields) == ["text"]


def test_text_to_instance_does_not_modify_its_arguments() -> None:
    line: Dict[str, Any] = json.loads(json.dumps(LINES[1]))
    instance = make_reader(TYPES, max_tokens=1).text_to_instance(**line)
    labels_of(instance, "topics").append("more")
    assert line == LINES[1]


def test_blank_lines_are_skipped_but_counted(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text('\n{"text": "a"}\n  \n\n{"text": "b"}\n{"text": 3}\n')
    assert sentences_of(list(make_reader({}, max_instances=2).read(path))) == ["a", "b"]
    with pytest.raises(ValueError, match="^" + re.escape(f"{path}, line 6: The text must be")):
        list(make_reader({}).read(path))


def test_a_byte_order_mark_and_carriage_returns_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes('\ufeff{"text": "schön"}\r\n{"text": "no\u2028break"}'.encode())
    assert sentences_of(list(make_reader({}).read(path))) == ["schön", "no break"]


@pytest.mark.parametrize(("worker", "expected"), [(0, ["0", "2", "4"]), (1, ["1", "3"])])
def test_workers_shard_the_lines(tmp_path: Path, worker: int, expected: List[str]) -> None:
    path = write(tmp_path, [{"text": str(i)} for i in range(5)])
    reader = make_reader({})
    set_worker_info(reader, WorkerInfo(num_workers=2, id=worker))
    assert sentences_of(list(reader.read(path))) == expected


def test_labels_of_no_line_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path, [{"text": "a", "stars": 1, "polarity": None}, {"text": "b"}])
    with caplog.at_level(logging.WARNING):
        list(make_reader({"stars": "number", "polarty": "class", "polarity": "class"}).read(path))
    assert caplog.messages == [
        f"No instance read from {path} has the fields ['polarity', 'polarty']. If this is "
        "unexpected, compare the keys of the lines with the reader's labels."
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            b'{"text": "a"',
            'A line must be a JSON object, but got \'{"text": "a"\', which is not JSON (Expecting '
            "',' delimiter at character 13). Correct it, or remove it.",
        ),
        (
            b'{"text": "\xff"}',
            'A line must be a JSON object, but got \'{"text": "\ufffd"}\', which is not JSON '
            "('utf-8' codec can't decode byte 0xff in position 10: invalid start byte). Correct "
            "it, or remove it.",
        ),
        (
            b'["a", "b"]',
            "A line must be a JSON object, but got ['a', 'b'] (2 items). Write it as "
            '{"text": ...}.',
        ),
        (
            b'{"txt": "a", "polarity": "good"}',
            "A line must have the key 'text', but got the keys ['txt', 'polarity']. Is 'txt' "
            "meant to be 'text'? Add it, or set the reader's text_key.",
        ),
        (
            b'{"text": null}',
            "The text must be a string or a list of non-empty strings, with at least one token, "
            "but got None. Correct it, or remove it from the data.",
        ),
    ],
)
def test_a_malformed_line_is_an_error(tmp_path: Path, line: bytes, message: str) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"text": "fine"}\n' + line + b"\n")
    with pytest.raises(ValueError, match=f"^{re.escape(f'{path}, line 2: {message}')}$"):
        list(make_reader({}).read(path))


def test_an_unknown_label_type_is_an_error() -> None:
    message = (
        "labels must name a label type for the key 'polarity', but got 'clas'. Did you mean "
        "'class'? Known names: ['class', 'number', 'classes', 'tags']."
    )
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        make_reader({"polarity": "clas"})


@pytest.mark.parametrize("key", ["text", "task", "heads", "text_pair", "sentence"])
def test_the_name_of_another_field_is_an_error(key: str) -> None:
    message = (
        f"labels must not use the name of another field, but got {key!r}. Rename the key in the "
        "data and in labels to one that is not in ['text', 'task', 'heads', 'text_pair'] and is "
        "not the text_key or the text_pair_key."
    )
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        make_reader({key: "class"}, text_key="sentence")


def test_max_tokens_below_1_is_an_error() -> None:
    message = "max_tokens must be at least 1, but got 0. Leave it out to keep all tokens."
    with pytest.raises(ConfigurationError, match=message):
        make_reader({}, max_tokens=0)


def test_a_line_may_name_its_heads(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text('{"text": ["a"], "heads": ["polarity"]}\n{"text": ["b"]}\n')
    first, second = LabeledJsonlReader({}).read(str(path))
    field: Any = first["heads"]
    assert field.metadata == ["polarity"]
    assert "heads" not in second.fields
    path.write_text('{"text": ["a"], "heads": "polarity"}\n')
    with pytest.raises(ValueError, match="line 1: The key 'heads' must be a list of head names"):
        list(LabeledJsonlReader({}).read(str(path)))
