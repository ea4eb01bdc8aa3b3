"""The contract of every reader of one dataset. A new reader needs one row in `READERS`."""

import copy
import itertools
import pickle
from pathlib import Path
from typing import Dict, NamedTuple

import pytest
from allennlp.common import Params
from allennlp.data import DatasetReader
from allennlp.data.dataset_readers.dataset_reader import WorkerInfo
from allennlp.data.fields import TextField

from multitask_model.compat.allennlp_internals import set_worker_info
from tests.helpers.registry import our_types
from tests.helpers.sentences import FIRST, SECOND, to_conllu

LINES = '{"text": ["a", "b"], "topic": "x"}\n{"text": ["c"], "topic": "y"}\n'


class ReaderCase(NamedTuple):
    """How to build one reader, a file for it, and the JSON of a prediction."""

    config: Dict[str, object]
    content: str
    """The content of a file with two instances."""
    inputs: Dict[str, object]
    """The arguments of `text_to_instance`."""


READERS: Dict[str, ReaderCase] = {
    "columns": ReaderCase({"columns": {"text": 0, "ner": 1}}, "a X\nb Y\n\nc X\n", {"text": ["a"]}),
    "conllu": ReaderCase({}, to_conllu(FIRST, SECOND), {"text": ["a", "b"]}),
    "hf_dataset": ReaderCase({"labels": {"topic": "class"}}, LINES, {"text": ["a", "b"]}),
    "labeled_jsonl": ReaderCase({"labels": {"topic": "class"}}, LINES, {"text": ["a", "b"]}),
    "masked_tokens": ReaderCase(
        {"reader": {"type": "labeled_jsonl", "labels": {"topic": "class"}}}, LINES, {"text": ["a"]}
    ),
}


@pytest.fixture(params=sorted(READERS))
def type_name(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    name: str = request.param
    if name == "hf_dataset":
        monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
        pytest.importorskip("datasets")
    return name


def make_reader(type_name: str, **options: object) -> DatasetReader:
    config = copy.deepcopy(READERS[type_name].config)
    return DatasetReader.from_params(Params({"type": type_name, **config, **options}))


@pytest.fixture
def path(type_name: str, tmp_path: Path) -> Path:
    path = tmp_path / "data.jsonl"
    path.write_text(READERS[type_name].content)
    return path


def test_every_registered_reader_of_this_package_has_a_row() -> None:
    assert our_types(DatasetReader) == sorted([*READERS, "multitask"])


def test_the_file_has_two_instances_with_a_text(type_name: str, path: Path) -> None:
    instances = list(make_reader(type_name).read(path))
    assert len(instances) == 2
    assert all("text" in instance.fields for instance in instances)


def test_max_instances(type_name: str, path: Path) -> None:
    assert len(list(make_reader(type_name, max_instances=1).read(path))) == 1


def test_two_workers_read_every_instance_once(type_name: str, path: Path) -> None:
    counts = []
    for worker in range(2):
        reader = make_reader(type_name)
        set_worker_info(reader, WorkerInfo(2, worker))
        counts.append(len(list(itertools.islice(reader.read(path), 3))))
    assert counts == [1, 1]


def test_prediction_needs_no_labels(type_name: str) -> None:
    reader = make_reader(type_name)
    instance = reader.text_to_instance(**READERS[type_name].inputs)
    reader.apply_token_indexers(instance)
    assert list(instance.fields) == ["text"]
    text = instance["text"]
    assert isinstance(text, TextField)
    assert text.token_indexers.keys() == {"tokens"}


def test_a_reader_can_be_pickled(type_name: str, path: Path) -> None:
    reader = make_reader(type_name)
    restored = pickle.loads(pickle.dumps(reader))
    assert len(list(restored.read(path))) == 2
